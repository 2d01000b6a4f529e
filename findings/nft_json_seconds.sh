#!/usr/bin/env bash
# nftables 1.0.6, Linux 6.18
#
# nft's JSON states timeouts in whole seconds, cut off and not rounded. A listing that is loaded again therefore
# changes how long elements live, in both directions: what had 700 ms left starts over with the whole timeout of its
# map, and an element whose own timeout was below a second never goes at all. The text form keeps milliseconds.
# So a saved ruleset with learned entries has to be saved as text.
#
# Seen:
#   text, timeout of the first element                         900ms
#   JSON, timeout of the first element                         0
#   JSON, rest of the second one's 240 s                       0
#   loaded from JSON, the first element                        { 10.0.0.1 }
#   loaded from JSON, the second one's rest is above 200 s     yes
#   2 s later, elements left                                   2
. "${0%/*}/pinned.sh"
pinned nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2
export nft=$root/usr/sbin/nft

cat >"$work/before" <<'X'
table ip t {
  set short { type ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 900ms }; }
  map long { type ipv4_addr : mark; flags timeout; timeout 240s; elements = { 10.0.0.2 expires 700ms : 7 }; }
}
X
export work
unshare -n bash -euc '
  "$nft" -f "$work/before"
  "$nft" -j list ruleset >"$work/json"
  "$nft" list ruleset >"$work/text"
'
unshare -n bash -euc '
  "$nft" -j -f "$work/json"
  "$nft" list ruleset >"$work/after"
  # Both elements should be gone a second after they were listed.
  sleep 2
  "$nft" list ruleset >"$work/later"
'
elements() { grep -o '10\.0\.0\.[12]' "$1" | wc -l; }
own() { grep -o '{ 10\.0\.0\.1[^}]*}' "$1"; }
rest=$(sed -n 's/.*10\.0\.0\.2 expires \([0-9]*\)m.*/\1/p' "$work/after")

seen 'text, timeout of the first element' 900ms "$(sed -n 's/.*10\.0\.0\.1 timeout \([^ ]*\).*/\1/p' "$work/text")"
seen 'JSON, timeout of the first element' 0 "$(sed -n 's/.*"10\.0\.0\.1", "timeout": \([0-9]*\).*/\1/p' "$work/json")"
seen "JSON, rest of the second one's 240 s" 0 "$(sed -n 's/.*"10\.0\.0\.2", "expires": \([0-9]*\).*/\1/p' "$work/json")"
seen 'loaded from JSON, the first element' '{ 10.0.0.1 }' "$(own "$work/after")"
seen "loaded from JSON, the second one's rest is above 200 s" yes "$([ "${rest:-0}" -ge 3 ] && echo yes || echo no)"
seen '2 s later, elements left' 2 "$(elements "$work/later")"
verdict
