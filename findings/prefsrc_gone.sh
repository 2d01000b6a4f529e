#!/usr/bin/env bash
# iproute2 6.1.0, Linux 6.18
#
# A route with a preferred source (`src`, RTA_PREFSRC) meets the loss of that address differently in the two families.
# IPv4 drops the route, and says so. IPv6 keeps it, without the source: packets go on with whatever address is chosen,
# and no message tells that the route changed. On a gateway whose default routes carry its public address, one
# family falls silent and the other one answers from the wrong address; a watcher of route messages sees only the first.
#
# Seen, after `ip address del` of both addresses from lo:
#   IPv4 default route                                         none
#   IPv6 default route                                         default via fd00::1 dev one metric 1024 pref medium
#   messages about the IPv4 default route                      1
#   messages about the IPv6 default route                      0
. "${0%/*}/pinned.sh"
pinned iproute2=6.1.0-3
export ip=$root/bin/ip work

: >"$work/monitor"
unshare -n bash -euc '
  "$ip" link set lo up
  "$ip" link add one type veth peer name two
  "$ip" link set one up; "$ip" link set two up
  "$ip" address add 10.0.0.0/31 dev one
  "$ip" address add fd00::/127 dev one nodad
  "$ip" address add 192.0.2.1/32 dev lo
  "$ip" address add 2001:db8::1/128 dev lo nodad
  "$ip" route add default via 10.0.0.1 src 192.0.2.1
  "$ip" -6 route add default via fd00::1 src 2001:db8::1
  "$ip" monitor route >"$work/monitor" & monitor=$!
  trap "kill $monitor" EXIT
  # Until the monitor tells of a route to $1: it listens, and has told what came before.
  heard() {
    until grep -q "$1" "$work/monitor"; do
      "$ip" route replace "$1/32" dev one; "$ip" route del "$1/32" dev one
      sleep 0.1
    done
  }
  heard 10.0.0.8
  "$ip" address del 192.0.2.1/32 dev lo
  "$ip" address del 2001:db8::1/128 dev lo
  "$ip" -4 route show default >"$work/four"
  "$ip" -6 route show default >"$work/six"
  heard 10.0.0.9
'
seen 'IPv4 default route' none "$(grep . "$work/four" || echo none)"
seen 'IPv6 default route' 'default via fd00::1 dev one metric 1024 pref medium' "$(sed 's/ *$//' "$work/six")"
seen 'messages about the IPv4 default route' 1 "$(grep -c 'default via 10.0.0.1' "$work/monitor" || true)"
seen 'messages about the IPv6 default route' 0 "$(grep -c 'default via fd00::1' "$work/monitor" || true)"
verdict
