#!/usr/bin/env bash
# usage: docs/pictures/take.sh (as root)
#
# Runs ./run demo and draws what it printed: demo.svg is its table, status.svg what
# `weir-deployer status` said of the same fleet while both pools ran and all its clients were on the new
# one. Nothing in the pictures is written by hand.
set -euo pipefail
cd "$(dirname "$0")/../.."
pictures=docs/pictures
fleet=build/demo/lab/fleet.yaml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

./run build weir_lab_programs
./run demo >"$work/demo" 2>"$work/log" &
demo=$!
while kill -0 "$demo" 2>/dev/null; do
  if build/release/bin/weir-deployer status --fleet $fleet >"$work/now" 2>/dev/null &&
    grep -q 'pool green (active)' "$work/now" && ! grep -q 'machine gone' "$work/now" &&
    [ "$(grep -c 'green-1' "$work/now")" -ge 5 ]; then
    mv "$work/now" "$work/status"
  fi
  sleep 1
done
wait "$demo" || { cat "$work/log" "$work/demo" >&2; exit 1; }
[ -s "$work/status" ] || { echo "take.sh: status was never seen with all clients on green" >&2; exit 1; }

python3 $pictures/terminal.py './run demo' <<<"$(sed '/./,$!d' "$work/demo")" >$pictures/demo.svg
python3 $pictures/terminal.py 'weir-deployer status --fleet fleet.yaml --watch' <"$work/status" \
  >$pictures/status.svg
echo "take.sh: $pictures/demo.svg and $pictures/status.svg are new"
