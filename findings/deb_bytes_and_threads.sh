#!/usr/bin/env bash
# dpkg 1.21.23, zstd 1.5.4, xz 5.4.1
#
# Whether the number of processors shows in compressed bytes depends on who calls which library. dpkg-deb makes the
# same xz package whatever --threads-max says (it always takes liblzma's threaded encoder), but another zstd
# package with one thread than with two or four; its default is the number of processors. The tools are the other
# way round: `zstd -T1` and `-T2` agree (only --single-thread does not), `xz -T1` and `-T2` do not. So one rule,
# "threads do not matter" or "they do", is wrong in either direction; a builder must fix the number for zstd packages.
#
# Seen, the same bytes?
#   dpkg-deb -Zxz,   --threads-max=1 and 2                     yes
#   dpkg-deb -Zzstd, --threads-max=1 and 2                     no
#   dpkg-deb -Zzstd, --threads-max=2 and 4                     yes
#   zstd -T1 and -T2                                           yes
#   zstd -T1 and --single-thread                               no
#   xz -T1 and -T2                                             no
. "${0%/*}/pinned.sh"
pinned dpkg=1.21.23 libzstd1=1.5.4+dfsg2-5 zstd=1.5.4+dfsg2-5 xz-utils=5.4.1-1+deb12u2 liblzma5=5.4.1-1+deb12u2

mkdir -p "$work/tree/DEBIAN"
printf '%s\n' 'Package: x' 'Version: 1' 'Architecture: all' 'Maintainer: X <x@example.org>' 'Description: x' \
  >"$work/tree/DEBIAN/control"
awk 'BEGIN { for (i = 0; i < 700000; i++) print "line", i, i * 7919 % 104729 }' >"$work/tree/text"
deb() {
  SOURCE_DATE_EPOCH=1 "$root/usr/bin/dpkg-deb" --root-owner-group "-Z$1" -z3 "--threads-max=$2" -b "$work/tree" \
    "$work/$1-$2.deb" >"$work/log"
  sha256sum <"$work/$1-$2.deb"
}
packed() { "$root/usr/bin/$1" "${@:2}" -c "$work/tree/text" | sha256sum; }
same() { [ "$1" = "$2" ] && echo yes || echo no; }

two=$(deb zstd 2)
t1=$(packed zstd -q -T1)
seen 'dpkg-deb -Zxz,   --threads-max=1 and 2' yes "$(same "$(deb xz 1)" "$(deb xz 2)")"
seen 'dpkg-deb -Zzstd, --threads-max=1 and 2' no "$(same "$(deb zstd 1)" "$two")"
seen 'dpkg-deb -Zzstd, --threads-max=2 and 4' yes "$(same "$two" "$(deb zstd 4)")"
seen 'zstd -T1 and -T2' yes "$(same "$t1" "$(packed zstd -q -T2)")"
seen 'zstd -T1 and --single-thread' no "$(same "$t1" "$(packed zstd -q --single-thread)")"
seen 'xz -T1 and -T2' no "$(same "$(packed xz -3 -T1)" "$(packed xz -3 -T2)")"
verdict
