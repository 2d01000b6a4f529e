# Sourced behind pinned.sh by findings about what a kernel does with its initramfs. They need root, for device nodes,
# and the machine's own QEMU.
#
#   segment_of FOLDER     the folder as a newc archive in one zstd frame
#   padded                what comes in, with zeros behind it up to a multiple of four
#   boot INITRAMFS        boots the pinned kernel with it and prints the console until the machine is off
command -v qemu-system-x86_64 >"$work/qemu" || { echo "${0##*/}: needs qemu-system-x86" >&2; exit 3; }
kernel=$(echo "$root"/boot/vmlinuz-*)

segment_of() {
  (cd "$1" && find . -mindepth 1 | LC_ALL=C sort | "$root/bin/cpio" --quiet -o -H newc) \
    | "$root/usr/bin/zstd" -q -c
}

padded() {
  cat >"$work/unpadded"
  cat "$work/unpadded"
  head -c $((-$(stat -c %s "$work/unpadded") & 3)) /dev/zero
}

boot() {
  timeout 300 qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35 -accel tcg -cpu max -m 512 \
    -kernel "$kernel" -initrd "$1" -append 'console=ttyS0 quiet panic=-1' -no-reboot -serial stdio </dev/null
}
