#!/usr/bin/env bash
# GCC 12.2, ccache 4.7.5
#
# A precompiled header of GCC is a picture of the compiler's memory, addresses included: the same header, compiled
# twice by one program on one machine, is not the same bytes, unless address randomisation is off. Objects that use it
# are the same bytes all the same. ccache counts the picture's bytes as input, so that every header compiled anew (a
# fresh clone, another folder) makes all sources that use it miss, although nothing changed. Compiled through ccache, or
# under `setarch -R`, the header is stable and they hit.
#
# Seen:
#   header compiled twice, the same bytes                      no
#   without address randomisation                              yes
#   objects made with either, the same bytes                   yes
#   second object, the header compiled anew                    miss
#   second object, the header compiled anew under setarch -R   hit
. "${0%/*}/pinned.sh"
pinned gcc-12=12.2.0-14+deb12u1 cpp-12=12.2.0-14+deb12u1 libgcc-12-dev=12.2.0-14+deb12u1 \
  ccache=4.8+really4.7.5-1

cd "$work"
gcc=$root/usr/bin/gcc-12
cat >all.h <<'X'
struct point { int x, y; };
typedef struct point point;
static inline int sum(const point *p) { return p->x + p->y; }
X
echo 'int f(void) { point p = {1, 2}; return sum(&p); }' >use.c
export CCACHE_DIR=$work/cache CCACHE_SLOPPINESS=pch_defines,time_macros
digest() { sha256sum <"$1"; }
same() { [ "$1" = "$2" ] && echo yes || echo no; }
header() { "$@" "$gcc" -O2 -x c-header all.h -o all.h.gch; digest all.h.gch; }
object() { "$root/usr/bin/ccache" "$gcc" -O2 -include all.h -fpch-preprocess -c use.c -o use.o; digest use.o; }
hits() { "$root/usr/bin/ccache" --print-stats | awk '/^(direct|preprocessed)_cache_hit/ { n += $2 } END { print n + 0 }'; }

one=$(header env); first=$(object)
two=$(header env); second=$(object)
missed=$(hits)
three=$(header setarch -R); object >log
four=$(header setarch -R); object >log
seen 'header compiled twice, the same bytes' no "$(same "$one" "$two")"
seen 'without address randomisation' yes "$(same "$three" "$four")"
seen 'objects made with either, the same bytes' yes "$(same "$first" "$second")"
seen 'second object, the header compiled anew' miss "$([ "$missed" = 0 ] && echo miss || echo hit)"
[ "$(hits)" -gt "$missed" ] && word=hit || word=miss
seen 'second object, the header compiled anew under setarch -R' hit "$word"
verdict
