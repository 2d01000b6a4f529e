#!/usr/bin/env bash
# nftables 1.0.6, Linux 6.18
#
# `nft monitor` (and every listener of the kernel's nftables multicast group) hears what a person or program changes
# and nothing of what rules do: an element that a packet adds or renews through `update @map`, and one that goes when
# its time is over, cause no message and no new generation. Who keeps a copy of a learned map has to read the map.
#
# Seen:
#   elements after the packet                                  1
#   elements after their time                                  0
#   lines of the monitor about the map learned by packets      0
#   lines of the monitor about an element that nft added       1
#   the ruleset's generation moved by packet and timeout       no
. "${0%/*}/pinned.sh"
pinned nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 iputils-ping=3:20221126-1+deb12u1
export nft=$root/usr/sbin/nft ping=$root/bin/ping work

cat >"$work/rules" <<'X'
table ip t {
  map learned { type ipv4_addr : mark; flags dynamic,timeout; size 16; timeout 2s; }
  set told { type ipv4_addr; }
  chain out { type filter hook output priority 0; ip protocol icmp update @learned { ip daddr : 7 }; }
}
X
: >"$work/monitor"
unshare -n bash -euc '
  ip link set lo up
  "$nft" -f "$work/rules"
  "$nft" monitor >"$work/monitor" & monitor=$!
  trap "kill $monitor" EXIT
  # The monitor listens once it hears a change of ours.
  until grep -q 10.0.0.9 "$work/monitor"; do
    "$nft" add element ip t told "{ 10.0.0.9 }"; "$nft" delete element ip t told "{ 10.0.0.9 }"
    sleep 0.1
  done
  "$ping" -q -c 1 127.0.0.1 >"$work/ping"
  "$nft" list map ip t learned >"$work/with"
  until [ "$("$nft" list map ip t learned | grep -c 127.0.0.1)" = 0 ]; do sleep 0.2; done
  "$nft" list map ip t learned >"$work/without"
  "$nft" add element ip t told "{ 10.0.0.1 }"
  until grep -q 10.0.0.1 "$work/monitor"; do sleep 0.1; done
'
# The generation of the last trial element and that of the one behind the packet are neighbours.
before=$(grep -B1 -A1 -n '10.0.0.1 ' "$work/monitor" | sed -n 's/.*generation \([0-9]*\) .*/\1/p' | head -n 1)
after=$(grep -A1 '10.0.0.1 ' "$work/monitor" | sed -n 's/.*generation \([0-9]*\) .*/\1/p' | tail -n 1)
count() { grep -c "$1" "$2" || true; }
seen 'elements after the packet' 1 "$(count 127.0.0.1 "$work/with")"
seen 'elements after their time' 0 "$(count 127.0.0.1 "$work/without")"
seen 'lines of the monitor about the map learned by packets' 0 "$(count learned "$work/monitor")"
seen 'lines of the monitor about an element that nft added' 1 "$(count '10\.0\.0\.1 ' "$work/monitor")"
seen "the ruleset's generation moved by packet and timeout" no "$([ "$after" = $((before + 1)) ] && echo no || echo yes)"
verdict
