#!/usr/bin/env bash
# Linux 6.1.192 (Debian), zstd 1.5.4, QEMU 7.2
#
# A zstd stream may hold skippable frames (RFC 8878, 3.1.2), and zstd reads over them wherever they stand; they look
# made for padding or notes between the segments of an initramfs. The kernel chooses a decompressor by the first bytes
# of each segment and knows only the ordinary frame there: it stops with a message about an invalid magic, and boots
# without all that comes behind.
#
# Seen:
#   zstd, the two segments with a skippable frame between      ok
#   kernel, file of the segment before it                      there
#   kernel, file of the segment behind it                      missing
#   what the kernel says                                       invalid magic at start of compressed archive
#   kernel, the second file without that frame                 there
. "${0%/*}/pinned.sh"
pinned linux-image-6.1.0-56-amd64=6.1.192-2 busybox-static=1:1.35.0-4+deb12u1+b1 cpio=2.13+dfsg-7.1 zstd=1.5.4+dfsg2-5
. "${0%/*}/boot.sh"

mkdir -p "$work/1/bin" "$work/1/dev" "$work/2"
cp "$root/bin/busybox" "$work/1/bin/"
mknod "$work/1/dev/console" c 5 1
cat >"$work/1/init" <<'X'
#!/bin/busybox sh
exec >/dev/console
for file in /one /two; do [ -e $file ] && echo "IS $file there" || echo "IS $file missing"; done
/bin/busybox poweroff -f
X
chmod 755 "$work/1/init"
echo 1 >"$work/1/one"
echo 2 >"$work/2/two"
segment_of "$work/1" >"$work/first"
segment_of "$work/2" >"$work/second"
# Magic 0x184D2A50, the size of the content, and as much of it as aligns what follows.
size=$((8 + (-$(stat -c %s "$work/first") & 3)))
printf '\x50\x2a\x4d\x18%b\0\0\0' "\\x$(printf %02x "$size")" >"$work/frame"
head -c "$size" /dev/zero >>"$work/frame"
cat "$work/first" "$work/frame" "$work/second" >"$work/with"
{ padded <"$work/first"; cat "$work/second"; } >"$work/without"

boot "$work/with" >"$work/console"
is() { tr -d '\r' <"$work/console" | sed -n "s|^IS $1 ||p"; }
"$root/usr/bin/zstd" -q -t "$work/with" 2>"$work/log" && word=ok || word=fails
seen 'zstd, the two segments with a skippable frame between' ok "$word"
seen 'kernel, file of the segment before it' there "$(is /one)"
seen 'kernel, file of the segment behind it' missing "$(is /two)"
seen 'what the kernel says' 'invalid magic at start of compressed archive' \
  "$(grep -o 'invalid magic[a-z ]*' "$work/console" || true)"
boot "$work/without" >"$work/console"
seen 'kernel, the second file without that frame' there "$(is /two)"
verdict
