#!/usr/bin/env bash
# usage: arm64.sh PROGRAMS OUT
#
# Gateways for arm64, made, looked at with foreign tools and booted on this machine, whatever it is: Debian 12
# and 13 baked (twice: the same bytes), verified, exported, checked with `weir-builder boot-check` under
# qemu-system-aarch64, which makes a handshake and sends data both ways; the disk booted by UEFI firmware.
set -euo pipefail
. "$(dirname "$0")/preamble.sh" "$1"
twelve=gateway-debian-12-arm64
thirteen=gateway-debian-13-arm64
firmware=/usr/share/AAVMF/AAVMF_CODE.fd

command -v qemu-system-aarch64 > /dev/null || skip "no qemu-system-aarch64 here (Debian package qemu-system-arm)"
[ -e "$firmware" ] || skip "no UEFI firmware for arm64 here (Debian package qemu-efi-aarch64)"
[ -e "$programs/arm64/weir-node" ] || skip "no node programs for arm64 (Debian package g++-aarch64-linux-gnu, " \
  "then ninja weir_arm64)"
fresh "$2"
weir() { "$programs/weir-builder" "$@"; }

echo "== a kernel of another architecture is refused when locking"
sed 's/cloud-arm64/cloud-amd64/' "$source/examples/$twelve.yaml" > wrong.yaml
! weir lock wrong.yaml > said 2>&1 || die "it was locked"
cat said
grep -q "which asks for amd64, and the image is for arm64" said || die "it does not say why"

echo "== baked, and a second time without anything of the first: the same bytes"
"$source/tests/lab/bake.sh" "$programs" . $twelve $thirteen
weir build $twelve.yaml --key release.key --store again > /dev/null
cmp store/releases/$twelve/release.json again/releases/$twelve/release.json
for release in $twelve $thirteen; do weir verify $release --store store --key release.pub; done

echo "== what is in it is arm64's, by what others say of it"
for format in kernel uki disk oci; do
  weir export $twelve --format $format --out out.$format --store store --key release.pub > /dev/null
done
file -b out.kernel/vmlinuz | grep "Linux kernel ARM64 boot executable Image" || die "no arm64 kernel"
file -b out.uki | grep "PE32+ executable (EFI application) Aarch64" || die "no arm64 UKI"
aarch64-linux-gnu-objcopy --dump-section .linux=linux --dump-section .initrd=initrd out.uki scratch
cmp -n "$(stat -c %s out.kernel/vmlinuz)" linux out.kernel/vmlinuz
cmp -n "$(stat -c %s out.kernel/initrd.img)" initrd out.kernel/initrd.img
mtype -i out.disk@@1M ::EFI/BOOT/BOOTAA64.EFI | cmp - out.uki
skopeo inspect --config oci:out.oci:$twelve > config.json
python3 - "$twelve" <<'PYTHON'
import json, sys, tarfile
name = sys.argv[1]
release = json.load(open(f"store/releases/{name}/release.json"))
assert release["architecture"] == "arm64"
assert {p["architecture"] for p in release["packages"]} == {"arm64", "all"}, release["packages"]
config = json.load(open("config.json"))
assert (config["architecture"], config["variant"]) == ("arm64", "v8"), config
bills = [r["referenceLocator"] for p in json.load(open("out.kernel/sbom.spdx.json"))["packages"]
         for r in p.get("externalRefs", []) if r["referenceType"] == "purl"]
bills += [c["purl"] for c in json.load(open("out.kernel/sbom.cdx.json"))["components"] if "purl" in c]
debian = [purl for purl in bills if purl.startswith("pkg:deb/debian/")]
assert len(debian) >= 2 * len(release["packages"]), bills
assert all("arch=arm64" in purl or "arch=all" in purl for purl in debian), debian
# All that can be run or loaded: e_machine (elf(5)) is 183, EM_AARCH64.
index = json.load(open("out.oci/index.json"))["manifests"][0]["digest"]
blob = lambda digest: "out.oci/blobs/" + digest.replace(":", "/")
machines = set()
for layer in json.load(open(blob(index)))["layers"]:
    with tarfile.open(blob(layer["digest"])) as tar:
        for member in filter(tarfile.TarInfo.isfile, tar):
            head = tar.extractfile(member).read(20)
            if head[:4] == b"\x7fELF":
                machines.add(int.from_bytes(head[18:20], "little"))
assert machines == {183}, machines
PYTHON
grep -q linuxaa64.efi.stub out.kernel/sbom.spdx.json || die "the bill does not name the EFI stub"

echo "== it boots, and a peer talks to it"
boots() { # RELEASE SERIES
  weir boot-check "$1" --store store --key release.pub --sign-with release.key --json > result.json 2> progress ||
    die "$1: $(cat progress)"
  grep -qF "the image's own wg sees the same peer" progress || die "$1: wg was not asked"
  weir verify "$1" --store store --key release.pub --boot-checked-by 1 --checker release.pub > /dev/null
  python3 - "$1" "$2" <<'PYTHON'
import json, sys
name, series = sys.argv[1:3]
statement = json.load(open("result.json"))["statement"]
facts, kernel = statement["facts"], json.load(open(f"store/releases/{name}/release.json"))["kernel"]
assert facts["kernel_release"].startswith(series), facts["kernel_release"]
# The kernel's own words, of its release and its build id, are what was read from its Image.
assert (facts["kernel_release"], facts["kernel_build_id"]) == (kernel["release"], kernel["build_id"])
traffic = statement["traffic"]
assert traffic["sent"] >= 2 ** 18 and traffic["received"] >= 2 ** 18, traffic
print(f"{name}: {kernel['release']}, {statement['machine']}, {statement['timeline'][-1]['ms']} ms")
PYTHON
}
boots $twelve 6.1.
boots $thirteen 6.12.

echo "== UEFI firmware boots its disk"
cp /usr/share/AAVMF/AAVMF_VARS.fd variables
: > console
qemu-system-aarch64 -nodefaults -no-user-config -display none -machine virt -cpu cortex-a72 -m 768M -no-reboot \
  -drive if=pflash,format=raw,readonly=on,file=$firmware -drive if=pflash,format=raw,file=variables \
  -drive if=none,id=disk,format=raw,file=out.disk -device virtio-blk-pci,drive=disk -serial file:console &
background=$!
end=$((SECONDS + 300))
until grep -qaF "node: configuration: " console; do
  if [ $SECONDS -ge $end ] || ! kill -0 $background 2> /dev/null; then
    tail -n 20 console
    die "the agent never spoke"
  fi
  sleep 0.2
done
grep -aF "EFI stub: Booting Linux Kernel" console || die "not by its EFI stub"
echo ok
