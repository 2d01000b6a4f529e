#!/usr/bin/env bash
# QEMU 7.2, Linux 6.1.192 (Debian)
#
# QEMU does not read the file of -initrd when it starts: it maps it, privately, and copies it into the guest when the
# guest's firmware asks. Whoever writes to the file in between, after QEMU has answered on its control socket, changes
# what boots. Checking a file before QEMU is started on it proves nothing; the bytes have to be out of reach (a sealed
# memfd) before. A pipe cannot be given either: it cannot be mapped.
#
# Seen:
#   state when the file is changed                             prelaunch
#   text that the guest boots with                             changed
#   -initrd of a pipe                                          refused
. "${0%/*}/pinned.sh"
pinned linux-image-6.1.0-56-amd64=6.1.192-2 busybox-static=1:1.35.0-4+deb12u1+b1 cpio=2.13+dfsg-7.1 zstd=1.5.4+dfsg2-5
. "${0%/*}/boot.sh"

mkdir -p "$work/tree/bin" "$work/tree/dev"
cp "$root/bin/busybox" "$work/tree/bin/"
mknod "$work/tree/dev/console" c 5 1
printf '%s\n' '#!/bin/busybox sh' 'exec >/dev/console' 'echo "IS checked"' '/bin/busybox poweroff -f' >"$work/tree/init"
chmod 755 "$work/tree/init"
# Not compressed, so that a word can be changed in place.
(cd "$work/tree" && find . -mindepth 1 | "$root/bin/cpio" --quiet -o -H newc) >"$work/initramfs"

mkfifo "$work/orders"
timeout 300 qemu-system-x86_64 -S -nodefaults -no-user-config -display none -machine q35 -accel tcg -cpu max -m 512 \
  -kernel "$kernel" -initrd "$work/initramfs" -append 'console=ttyS0 quiet panic=-1' -no-reboot \
  -serial "file:$work/console" -qmp stdio <"$work/orders" >"$work/answers" &
started+=($!)
exec 3>"$work/orders"
answered() { until grep -q "$1" "$work/answers"; do kill -0 "${started[0]}"; sleep 0.1; done; }
echo '{"execute": "qmp_capabilities"}{"execute": "query-status"}' >&3
answered '"status"'
at=$(grep -abo 'IS checked' "$work/initramfs" | cut -d : -f 1)
printf 'IS changed' | dd of="$work/initramfs" bs=1 seek="$at" conv=notrunc status=none
echo '{"execute": "cont"}' >&3
wait "${started[0]}"
started=()
exec 3>&-

seen 'state when the file is changed' prelaunch "$(sed -n 's/.*"status": "\([a-z]*\)".*/\1/p' "$work/answers" | head -n 1)"
seen 'text that the guest boots with' changed "$(tr -d '\r' <"$work/console" | sed -n 's/^IS //p')"
boot <(cat "$work/initramfs") >"$work/console" 2>&1 && word=taken || word=refused
seen '-initrd of a pipe' refused "$word"
verdict
