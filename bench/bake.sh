#!/usr/bin/env bash
# usage: bench/bake.sh PROGRAMS [ROUNDS]
#
# How long a bake takes, now and at commit 419a97a, in the same run: for gateway-6.1 and gateway-6.12
# of that commit, from one lock, which the old program wrote and both read, with the old node programs.
#
#   cold      packages in the cache, nothing else: every layer is made, checked, signed and stored
#   warm      the same again
#
# In turn, ROUNDS times (default 9), the one that begins changing with the round; medians of wall-clock
# seconds without signing. The old program is built from git into a folder that goes afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
now=$(realpath "$1")/weir-builder
rounds=${2:-9}
baseline=419a97a
git cat-file -e "$baseline^{commit}" 2>/dev/null || {
  echo "bench/bake.sh: the old builder is commit $baseline, which this clone does not have: git fetch --unshallow" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source"
git archive "$baseline" | tar -x -C "$work/source"
echo "bench: building the builder of $baseline" >&2
programs=(weir-builder weir-keys weir-init weir-node)
(cd "$work/source" && cmake --preset release && cmake --build build/release --target "${programs[@]}") \
  >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2; exit 1; }
mkdir "$work/programs"
for program in "${programs[@]}"; do
  cp "$(find "$work/source/build" -type f -name "$program" -perm -u+x | head -n 1)" "$work/programs/"
done
old=$work/programs/weir-builder
"$work/programs/weir-keys" generate --no-passphrase --out "$work/release" >/dev/null

field() { sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\).*/\1/p" "$1"; }
median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }

bake() { # PROGRAM IMAGE: prints its seconds
  local begin=$EPOCHREALTIME end
  "$1" build "$work/$2/image.yaml" --key "$work/release.key" --store "$work/$2/store" \
    --cache "$work/$2/cache" --json >"$work/report" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
  end=$EPOCHREALTIME
  awk -v a="$begin" -v b="$end" -v s="$(field "$work/report" sign_seconds)" 'BEGIN { print b - a - s }'
}

declare -A times
measure() { # NAME PROGRAM IMAGE
  rm -rf "$work/$3/store" "$work/$3/cache/layers"
  times[$3/$1/cold]+="$(bake "$2" "$3") "
  [ "$(field "$work/report" layers_reused)" = 0 ] || { echo "bench: cold was not cold" >&2; exit 1; }
  times[$3/$1/warm]+="$(bake "$2" "$3") "
  [ "$(field "$work/report" layers_built)" = 0 ] || { echo "bench: warm was not warm" >&2; exit 1; }
}

images=(gateway-6.1 gateway-6.12)
for image in "${images[@]}"; do
  mkdir "$work/$image"
  cp "$work/source/examples/$image.yaml" "$work/$image/image.yaml"
  echo "node_programs: $work/programs" >>"$work/$image/image.yaml"
  "$old" lock "$work/$image/image.yaml" --cache "$work/$image/cache" >/dev/null
  bake "$old" "$image" >/dev/null # brings the packages
  for round in $(seq "$rounds"); do
    if [ $((round % 2)) = 1 ]; then
      measure old "$old" "$image"
      measure now "$now" "$image"
    else
      measure now "$now" "$image"
      measure old "$old" "$image"
    fi
  done
done

printf '%-24s %12s %12s %8s\n' bake "$baseline" now ratio
for image in "${images[@]}"; do
  for kind in cold warm; do
    awk -v n="$image, $kind" -v a="$(median ${times[$image/old/$kind]})" \
      -v b="$(median ${times[$image/now/$kind]})" \
      'BEGIN { printf "%-24s %10.3f s %10.3f s %8.3f\n", n, a, b, b / a }'
  done
done
echo "(now as a share of $baseline; median of $rounds rounds, signing not counted)"
