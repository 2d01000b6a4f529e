#!/usr/bin/env bash
# usage: bench/build_times.sh [--demo] BEFORE [AFTER]
#
# How long it takes to build two commits (AFTER is HEAD unless given), in the same run:
#
#   demo, cold        what ./run demo builds, with nothing in ccache
#   rest, cold        and then everything else: what ./run test builds
#   demo, warm        what ./run demo builds, in another clone with the same ccache
#   rest, warm        and then everything else
#   nothing           everything again
#
# Wall-clock seconds, and the processors' in brackets. With --demo (root), also how long the whole of
# ./run demo takes, cold (nothing in ccache, no package fetched before) and warm (in another clone).
# Clones, ccache and package caches lie in a folder of this run's own and go when it ends. Nothing else
# should run on the machine.
set -euo pipefail
cd "$(dirname "$0")/.."
demo=no
if [ "${1:-}" = --demo ]; then demo=yes; shift; fi
[ $# = 1 ] || [ $# = 2 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
[ $demo = no ] || [ "$(id -u)" = 0 ] || { echo "build_times.sh: --demo needs root" >&2; exit 1; }
commits=()
for name in "$1" "${2:-HEAD}"; do commits+=("$(git rev-parse --verify --quiet "$name^{commit}")"); done
repository=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CCACHE_DIR WEIR_PRESET
rows=()
declare -A took

clone() { # COMMIT FOLDER
  git clone -q "$repository" "$2"
  git -C "$2" checkout -q "$1"
}

# Its seconds, in place of what it prints; what it prints is shown if it fails.
seconds() { # COMMAND...
  local TIMEFORMAT='%R %U %S'
  { time "$@" >"$work/log" 2>&1; } 2>"$work/time" || { tail -n 40 "$work/log" >&2; exit 1; }
  awk '{ printf "%.0f (%.0f)", $1, $2 + $3 }' "$work/time"
}

measure() { # ROW COMMIT COMMAND...
  local row=$1 commit=$2
  shift 2
  took[$row.$commit]=$(seconds "$@")
  [[ " ${rows[*]/ /_} " == *" ${row/ /_} "* ]] || rows+=("$row")
  echo "build_times: ${commit:0:7}: $row: ${took[$row.$commit]} s" >&2
}

configured() { # COMMAND...: in a clone; without the folder `build`, configures it
  [ -f build/release/build.ninja ] || cmake --preset release
  cmake --build build/release "$@"
}

in_folder() { # FOLDER COMMAND...
  ( cd "$1" && shift && "$@" )
}

measure_builds() { # COMMIT
  local commit=$1 heat folder target=all
  export CCACHE_DIR=$work/ccache-$commit
  for heat in cold warm; do
    folder=$work/$heat-$commit
    clone "$commit" "$folder"
    if grep -q weir_lab_programs "$folder/run"; then target=weir_lab_programs; fi
    measure "demo, $heat" "$commit" in_folder "$folder" configured --target "$target"
    measure "rest, $heat" "$commit" in_folder "$folder" configured
  done
  measure "nothing" "$commit" in_folder "$folder" configured
  rm -rf "$CCACHE_DIR" "$work/cold-$commit" "$work/warm-$commit"
}

measure_demo() { # COMMIT
  local commit=$1 heat folder
  export CCACHE_DIR=$work/ccache-$commit XDG_CACHE_HOME=$work/cache-$commit
  for heat in cold warm; do
    folder=$work/$heat-$commit
    clone "$commit" "$folder"
    measure "./run demo, $heat" "$commit" in_folder "$folder" ./run demo
  done
  rm -rf "$CCACHE_DIR" "$XDG_CACHE_HOME" "$work/cold-$commit" "$work/warm-$commit"
  unset XDG_CACHE_HOME
}

for commit in "${commits[@]}"; do measure_builds "$commit"; done
if [ $demo = yes ]; then
  for commit in "${commits[@]}"; do measure_demo "$commit"; done
fi

printf '%-22s %16s %16s\n' 'seconds (processor)' "${commits[0]:0:7}" "${commits[1]:0:7}"
for row in "${rows[@]}"; do
  printf '%-22s %16s %16s\n' "$row" "${took[$row.${commits[0]}]:-}" "${took[$row.${commits[1]}]:-}"
done
