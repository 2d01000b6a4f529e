#!/usr/bin/env bash
# usage: boot_formats.sh PROGRAMS STORE OUT
#
# Boots what `weir-builder export` writes: a disk and a lone UKI by UEFI firmware, a signed disk by
# firmware that enforces Secure Boot (which refuses the unsigned one), a PXE folder by iPXE. The proof
# is that the release's own kernel starts our init: the first words of the node's agent on the console.
# Without a fleet there is no configuration for it, and that is what it says.
set -euo pipefail
programs=$1
baked=$2
out=$3
release=gateway-6.12
firmware=/usr/share/OVMF
keys=/usr/share/ovmf
patience=180

if [ ! -e $firmware/OVMF_CODE_4M.snakeoil.fd ]; then
  echo "SKIPPED: no UEFI firmware here (Debian package ovmf)"
  [ -z "${WEIR_REQUIRE_ALL:-}" ] && exit 77
  exit 1
fi
rm -rf "$out"
mkdir -p "$out"

export_as() { # FORMAT PATH [OPTIONS]
  "$programs/weir-builder" export $release --format "$1" --out "$2" --store "$baked/store" \
    --key "$baked/release.pub" "${@:3}"
}

machine=
end_machine() {
  [ -z "$machine" ] || kill "$machine" 2> /dev/null || true
  [ -z "$machine" ] || wait "$machine" 2> /dev/null || true
  machine=
}
trap end_machine EXIT

start() { # NAME QEMU-OPTIONS
  local console=$out/$1.console
  : > "$console"
  qemu-system-x86_64 -nodefaults -no-user-config -display none -accel tcg,thread=multi -cpu max \
    -m 512M -no-reboot -serial "file:$console" "${@:2}" &
  machine=$!
}

# The machine says TEXT on its console in time.
says() { # NAME TEXT
  local end=$((SECONDS + patience)) size=0 now
  until grep -qaF "$2" "$out/$1.console"; do
    if [ $SECONDS -ge $end ] || ! kill -0 "$machine" 2> /dev/null; then
      echo "FAILED: $1: never said '$2'; its last words:"
      tail -n 20 "$out/$1.console"
      exit 1
    fi
    now=$(stat -c %s "$out/$1.console")
    [ "$now" = "$size" ] || end=$((SECONDS + patience)) # as long as it says anything
    size=$now
    sleep 0.2
  done
}

uefi() { # NAME CODE VARIABLES SMM QEMU-OPTIONS
  cp "$firmware/$3" "$out/$1.variables"
  start "$1" -machine "q35,smm=$4" \
    -drive "if=pflash,format=raw,unit=0,readonly=on,file=$firmware/$2" \
    -drive "if=pflash,format=raw,unit=1,file=$out/$1.variables" "${@:5}"
}

drive() { echo "format=raw,if=virtio,readonly=on,file=$1"; }

boots() { # NAME
  says "$1" "node: configuration: none, this node needs a deployer (a release by itself is no gateway"
  local kernel
  kernel=$("$programs/weir-builder" show $release --store "$baked/store" --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["kernel"]["release"])')
  says "$1" "Linux version $kernel "
  end_machine
  echo "ok: $1 boots"
}

export_as disk "$out/plain.raw" > /dev/null
uefi disk OVMF_CODE_4M.fd OVMF_VARS_4M.fd off -drive "$(drive "$out/plain.raw")"
boots disk

mkdir -p "$out/esp/EFI/BOOT"
export_as uki "$out/esp/EFI/BOOT/BOOTX64.EFI" > /dev/null
uefi uki OVMF_CODE_4M.fd OVMF_VARS_4M.fd off \
  -drive "if=none,id=esp,format=raw,readonly=on,file=fat:$out/esp" -device virtio-blk-pci,drive=esp
boots uki

export_as qcow2 "$out/disk.qcow2" > /dev/null
uefi qcow2 OVMF_CODE_4M.fd OVMF_VARS_4M.fd off \
  -drive "format=qcow2,if=virtio,readonly=on,file=$out/disk.qcow2"
boots qcow2

# Debian's test firmware trusts this key, whose passphrase is public.
openssl rsa -in $keys/PkKek-1-snakeoil.key -passin pass:snakeoil -out "$out/snakeoil.key" 2> /dev/null
export_as disk "$out/signed.raw" --secure-boot-key "$out/snakeoil.key" \
  --secure-boot-cert $keys/PkKek-1-snakeoil.pem > /dev/null
uefi secure OVMF_CODE_4M.snakeoil.fd OVMF_VARS_4M.snakeoil.fd on -drive "$(drive "$out/signed.raw")"
boots secure
grep -qaiF "secure boot enabled" "$out/secure.console" || {
  echo "FAILED: the kernel did not see Secure Boot"
  exit 1
}
uefi refused OVMF_CODE_4M.snakeoil.fd OVMF_VARS_4M.snakeoil.fd on -drive "$(drive "$out/plain.raw")"
says refused "Access Denied"
end_machine
echo "ok: an unsigned disk is refused where Secure Boot is on"

export_as pxe "$out/pxe" > /dev/null
start pxe -machine q35 -device virtio-net-pci,netdev=net \
  -netdev "user,id=net,restrict=on,tftp=$out/pxe,bootfile=boot.ipxe"
boots pxe
