#!/bin/bash
# bench/step.sh PROGRAM [CLIENTS...]: the engine's own time in one rollout, now and at commit 419a97a,
# measured one after the other. The old engine is built from git into a folder that goes afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1
shift
baseline=419a97a
git cat-file -e "$baseline^{commit}" 2>/dev/null || {
  echo "bench/step.sh: the old engine is commit $baseline, which this clone does not have: git fetch --unshallow" >&2
  exit 1
}
old=$(mktemp -d)
trap 'rm -rf "$old"' EXIT

git archive "$baseline" deployer manifests | tar -x -C "$old"
read -ra libraries <<< "$(pkg-config --cflags --libs libsodium libcrypto)"
sources=()
for file in deployer/engine/{rollout,movement,survey,grants,plan,checks,print} \
  deployer/director/steering manifests/{attested_facts,digest,names,net,result}; do
  sources+=("$old/$file.cpp")
done
echo "bench: building the engine of $baseline (${#sources[@]} files)" >&2
flags=(-std=c++20 -O2 -DWEIR_BASELINE -D_FILE_OFFSET_BITS=64 '-DWEIR_VERSION="baseline"' -I"$old" -w
  -include deployer/engine/rollout.h)
printf '%s\n' "${sources[@]}" "$PWD/bench/step_bench.cpp" |
  xargs -P "$(nproc)" -I{} sh -c 'out=$1; shift; c++ "$@" -c {} -o "$out/$(echo {} | md5sum | cut -c1-16).o"' \
    sh "$old" "${flags[@]}" "${libraries[@]}"
c++ "$old"/*.o -o "$old/step" "${libraries[@]}"

[ $# -gt 0 ] || set -- 250 1000 4000 16000
printf '%8s %22s %22s %8s\n' clients "$baseline" now ratio
for clients in "$@"; do
  read -r _ _ then <<< "$("$old/step" "$clients")"
  read -r _ _ now <<< "$("$program" "$clients")"
  awk -v n="$clients" -v a="$then" -v b="$now" 'BEGIN {
    printf "%8d %9.1f ms %6.1f us/cl %9.1f ms %6.1f us/cl %7.1fx\n", n, a, a * 1000 / n, b, b * 1000 / n, a / b
  }'
done
echo "(processor time inside \`step\`; us/cl: microseconds a client)"
