#!/usr/bin/env bash
# Linux 6.1.192 (Debian), QEMU 7.2
#
# Where two segments of an initramfs list the same folder, the later one decides its owner and mode, but the earlier
# one its time: the kernel sets folders' times at the very end, going back from the last one it met to the first. (Files
# get their time at once, so there the later one wins.) A device node that is listed again with other numbers takes over
# mode and time and keeps the first numbers. So "later over earlier" is wrong for parts of one entry.
#
# Seen (in segment 1 all is of second 1000000 and open, in segment 2 of second 2000000 and closed):
#   folder: mode, time                                         700 1000000
#   file: mode, time                                           600 2000000
#   device: mode, time, numbers (1:3, then 1:5)                600 2000000 1:3
. "${0%/*}/pinned.sh"
pinned linux-image-6.1.0-56-amd64=6.1.192-2 busybox-static=1:1.35.0-4+deb12u1+b1 cpio=2.13+dfsg-7.1 zstd=1.5.4+dfsg2-5
. "${0%/*}/boot.sh"

mkdir -p "$work/1/bin" "$work/1/dev" "$work/1/folder" "$work/2/dev" "$work/2/folder"
cp "$root/bin/busybox" "$work/1/bin/"
mknod "$work/1/dev/console" c 5 1
mknod "$work/1/dev/some" c 1 3
mknod "$work/2/dev/some" c 1 5
cat >"$work/1/init" <<'X'
#!/bin/busybox sh
exec >/dev/console
/bin/busybox stat -c 'IS %n %a %Y' /folder /file
/bin/busybox stat -c 'IS %n %a %Y %t:%T' /dev/some
/bin/busybox poweroff -f
X
for segment in 1 2; do
  echo "$segment" >"$work/$segment/file"
  [ "$segment" = 1 ] && mode=go+rX || mode=go-rwx
  chmod -R "u+rwX,$mode" "$work/$segment"
  chmod a-x "$work/$segment/file" "$work/$segment/dev/some"
done
chmod 755 "$work/1/init"
for segment in 1 2; do
  find "$work/$segment" -exec touch -h -d "@${segment}000000" {} +
  segment_of "$work/$segment" | padded >>"$work/initramfs"
done
boot "$work/initramfs" >"$work/console"
is() { tr -d '\r' <"$work/console" | sed -n "s|^IS $1 ||p"; }
seen 'folder: mode, time' '700 1000000' "$(is /folder)"
seen 'file: mode, time' '600 2000000' "$(is /file)"
seen 'device: mode, time, numbers (1:3, then 1:5)' '600 2000000 1:3' "$(is /dev/some)"
verdict
