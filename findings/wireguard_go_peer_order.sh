#!/usr/bin/env bash
# wireguard-go 0.0.20220316, wireguard-tools 1.0.20210914
#
# wireguard-go tells its peers in another order each time it is asked, so what `wg show`, `showconf` and `dump` are made
# of differs from call to call for a device that nobody touched. A comparison of two dumps has to sort first, and a tool
# that keeps printed configurations under version control makes a change of nothing.
#
# Seen, 30 peers:
#   peers in the first and in each of 20 further listings      30
#   listings in the order of the first                         not all
#   sorted, all listings alike                                 yes
. "${0%/*}/pinned.sh"
pinned wireguard-go=0.0.20220316-1+b4 wireguard-tools=1.0.20210914-1+b1
export wg=$root/usr/bin/wg go=$root/usr/bin/wireguard-go work
# The sockets of all devices of a machine lie in one folder.
export device=wgf$((RANDOM % 10000))

unshare -n bash -euc '
  "$go" -f "$device" >"$work/log" 2>&1 & go_id=$!
  trap "kill $go_id; wait $go_id || true" EXIT
  # Not merely there: listening (wg_removes_sockets.sh).
  until grep -q "00010000 .*/$device.sock" /proc/net/unix; do kill -0 $go_id; sleep 0.1; done
  for i in $(seq 30); do
    "$wg" set "$device" peer "$("$wg" genkey | "$wg" pubkey)" allowed-ips "10.0.0.$i/32"
  done
  for i in $(seq 0 20); do "$wg" show "$device" allowed-ips >"$work/list-$i"; done
'
same=yes sorted=yes
for i in $(seq 0 20); do
  cmp -s "$work/list-0" "$work/list-$i" || same='not all'
  cmp -s <(sort "$work/list-0") <(sort "$work/list-$i") || sorted=no
done
sizes=$(wc -l "$work"/list-* | awk '$2 != "total" { print $1 }' | sort -u)
seen 'peers in the first and in each of 20 further listings' 30 "$sizes"
seen 'listings in the order of the first' 'not all' "$same"
seen 'sorted, all listings alike' yes "$sorted"
verdict
