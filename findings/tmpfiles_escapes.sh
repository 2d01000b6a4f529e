#!/usr/bin/env bash
# systemd-tmpfiles 252.39
#
# tmpfiles.d(5) says that fields may hold C-style escapes. In the path they are none: a backslash only takes the next
# byte as it is, so \x20 is x20 and \t is t, and a folder of that name is made without a word. The same escapes are
# read in the argument of the same line. There, too, no newline is added to a file's text, quotes stay in it, and a
# per cent sign at the end of a path is itself.
#
# Seen:
#   d /var/a\x20b                                              ax20b
#   d /var/c\td                                                ctd
#   d /var/e\ f                                                e f
#   d "/var/g h"                                               g h
#   d /var/100%                                                100%
#   f /var/text with the argument "a\x20b" (in quotes)         "a b"
#   bytes of that file                                         5
. "${0%/*}/pinned.sh"
pinned systemd-standalone-tmpfiles=252.39-1~deb12u2

image=$work/image
made() { # the line: what is new below /var
  rm -rf "$image"
  mkdir -p "$image/usr/lib/tmpfiles.d" "$image/etc"
  echo 'root:x:0:0::/:/bin/sh' >"$image/etc/passwd"
  echo 'root:x:0:' >"$image/etc/group"
  printf '%s\n' "$1" >"$image/usr/lib/tmpfiles.d/one.conf"
  "$root/bin/systemd-tmpfiles" --root="$image" --create >"$work/said" 2>&1
  find "$image/var" -mindepth 1 -printf '%P'
}
seen 'd /var/a\x20b' ax20b "$(made 'd /var/a\x20b')"
seen 'd /var/c\td' ctd "$(made 'd /var/c\td')"
seen 'd /var/e\ f' 'e f' "$(made 'd /var/e\ f')"
seen 'd "/var/g h"' 'g h' "$(made 'd "/var/g h"')"
seen 'd /var/100%' '100%' "$(made 'd /var/100%')"
made 'f /var/text 0644 - - - "a\x20b"' >"$work/said"
seen 'f /var/text with the argument "a\x20b" (in quotes)' '"a b"' "$(cat "$image/var/text")"
seen 'bytes of that file' 5 "$(stat -c %s "$image/var/text")"
verdict
