#!/usr/bin/env bash
# usage: bake.sh PROGRAMS OUT [EXAMPLE...]
#
# Bakes example gateways, without a name those of Debian 12, into OUT/store, signed by OUT/release.key (made if missing, without a
# passphrase: for labs only). Versions are pinned when it runs, because mirrors drop superseded ones;
# what was fetched before comes from the cache.
set -euo pipefail
programs=$1
out=$2
examples=$(dirname "$0")/../../examples

shift 2
[ $# -gt 0 ] || set -- gateway-6.1 gateway-6.12

mkdir -p "$out"
[ -f "$out/release.key" ] || "$programs/weir-keys" generate --no-passphrase --out "$out/release" >&2
for release in "$@"; do
  echo "bake: $release" >&2
  cp "$examples/$release.yaml" "$out/$release.yaml"
  read -ra mirrors <<< "$("$(dirname "$0")/mirrors.sh" "$out/$release.yaml")"
  rm -f "$out/$release.lock.json"  # of an earlier run: what is current is wanted, in any direction
  "$programs/weir-builder" lock "$out/$release.yaml" "${mirrors[@]}" >&2
  "$programs/weir-builder" build "$out/$release.yaml" --key "$out/release.key" --store "$out/store" \
    --replace "${mirrors[@]}" >&2  # without the lock of before, the version starts anew
done
