#!/bin/bash
# bench/step.sh PROGRAM [CLIENTS...]: the engine's own time in one rollout, now and at commit 419a97a,
# measured in turn, three times each; the median is told. The old engine is built from git into a
# folder that goes afterwards.
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
# As the present engine is compiled (CMakeLists.txt): hardened, and to be placed anywhere.
hardened=(-fstack-protector-strong -fPIE)
flags=(-std=c++20 -O2 -g1 "${hardened[@]}" -DWEIR_BASELINE -D_FILE_OFFSET_BITS=64 '-DWEIR_VERSION="baseline"' -I"$old" -w
  -include deployer/engine/rollout.h)
printf '%s\n' "${sources[@]}" "$PWD/bench/step_bench.cpp" |
  xargs -P "$(nproc)" -I{} sh -c 'out=$1; shift; c++ "$@" -c {} -o "$out/$(echo {} | md5sum | cut -c1-16).o"' \
    sh "$old" "${flags[@]}" "${libraries[@]}"
c++ -pie -Wl,-z,relro,-z,now "$old"/*.o -o "$old/step" "${libraries[@]}"

[ $# -gt 0 ] || set -- 250 1000 4000 16000
printf '%8s %22s %22s %8s\n' clients "$baseline" now ratio
median() { # NUMBER NUMBER NUMBER
  printf '%s\n' "$@" | sort -g | sed -n 2p
}

for clients in "$@"; do
  before=() after=()
  for _ in 1 2 3; do
    read -r _ _ took <<< "$("$old/step" "$clients")"
    before+=("$took")
    read -r _ _ took <<< "$("$program" "$clients")"
    after+=("$took")
  done
  then=$(median "${before[@]}")
  now=$(median "${after[@]}")
  awk -v n="$clients" -v a="$then" -v b="$now" 'BEGIN {
    printf "%8d %9.1f ms %6.1f us/cl %9.1f ms %6.1f us/cl %7.1fx\n", n, a, a * 1000 / n, b, b * 1000 / n, a / b
  }'
done
echo "(processor time inside \`step\`, median of 3; us/cl: microseconds a client)"
