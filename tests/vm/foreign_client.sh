#!/usr/bin/env bash
# Clients that are not ours, attached to the lab as a person attaches them: wg-quick brings the
# tunnel up from what `weir-lab client` prints, ping counts its own replies, and tcpdump counts what
# arrives upstream. They are moved to green, back, and to green again; nobody may miss a packet.
#
# usage: foreign_client.sh BIN-FOLDER STORE-FOLDER LAB-FOLDER
set -euo pipefail

bin=$1 store=$2 folder=$3
name=f$(($$ % 1000000))
clients=(spare-1 spare-2)
declare -A netns device upstream

if [ "$(id -u)" != 0 ]; then
  echo "needs root: network namespaces and taps" >&2
  [ -z "${WEIR_REQUIRE_ALL:-}" ] && exit 77
  exit 1
fi

fail() { echo "failed: $*" >&2; exit 1; }

started=()
clean_up() {
  local process
  for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
  for client in "${!device[@]}"; do
    ip netns exec "${netns[$client]}" wg-quick down "$folder/${device[$client]}.conf" \
      >/dev/null 2>&1 || true
  done
  "$bin/weir-lab" down --folder "$folder" >/dev/null
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

deployer() { "$bin/weir-deployer" "$@" --fleet "$folder/fleet.yaml"; }

mkdir -p "$folder"
"$bin/weir-lab" up --folder "$folder" --name "$name" --store "$store/store" \
  --key "$store/release.pub" --release gateway-6.1

# What `weir-lab client` says in its comments, as a person would read it.
said() { sed -n "s/^# $1: \([^ ]*\).*/\1/p" "$2"; }

for client in "${clients[@]}"; do
  conf=$folder/$name${client#spare-}.conf
  (umask 077 && "$bin/weir-lab" client "$client" --folder "$folder" >"$conf")
  netns[$client]=$(said namespace "$conf")
  upstream[$client]=$(said upstream "$conf")
  device[$client]=$(basename "$conf" .conf)
  ip netns exec "${netns[$client]}" nice -n -10 wg-quick up "$conf" 2>"$folder/$client.log" ||
    { cat "$folder/$client.log" >&2; fail "wg-quick up for $client"; }
  ip netns exec "${netns[$client]}" ping -n -q -c 1 -w 300 "${upstream[$client]}" >/dev/null ||
    fail "$client: ${upstream[$client]} does not answer through the tunnel"
done

# Addresses differ, so one capture in front of the upstream host counts both.
ip netns exec "$name-up" nice -n -10 tcpdump -n -U --immediate-mode -B 4096 -i director -w "$folder/upstream.pcap" \
  'icmp[icmptype] = icmp-echo' 2>"$folder/tcpdump.log" &
started+=($!)
end=$((SECONDS + 300))
until grep -q listening "$folder/tcpdump.log"; do
  [ $SECONDS -lt $end ] || fail "tcpdump does not listen: $(cat "$folder/tcpdump.log")"
  sleep 0.05
done

declare -A ping
for client in "${clients[@]}"; do
  ip netns exec "${netns[$client]}" nice -n -10 ping -n -i 0.02 -W 2 "${upstream[$client]}" \
    >"$folder/$client.ping" &
  ping[$client]=$!
  started+=($!)
done

sleep 1
deployer deploy --release gateway-6.12
sleep 1
deployer rollback
sleep 1
deployer deploy --release gateway-6.12
sleep 2

for client in "${clients[@]}"; do kill -INT "${ping[$client]}"; done
for client in "${clients[@]}"; do wait "${ping[$client]}" || true; done
sleep 0.5
kill -INT "${started[0]}"
wait "${started[0]}" || true

status=$(deployer status --json)
for client in "${clients[@]}"; do
  log=$folder/$client.ping
  sent=$(sed -n 's/^\([0-9]*\) packets transmitted.*/\1/p' "$log")
  # The request that was on its way when ping was stopped proves nothing: only up to the last answer.
  last=$(sed -n 's/.*icmp_seq=\([0-9]*\) ttl.*/\1/p' "$log" | sort -n | tail -n 1)
  answered=$(sed -n 's/.*icmp_seq=\([0-9]*\) ttl.*/\1/p' "$log" | sort -nu | wc -l)
  inner=$(sed -n 's|^Address = \([0-9.]*\)/32.*|\1|p' "$folder/${device[$client]}.conf")
  arrived=$(tcpdump -n -r "$folder/upstream.pcap" "src host $inner" 2>/dev/null | wc -l)
  echo "$client: ping sent $sent, $answered of the first $last answered; tcpdump upstream: $arrived"
  [ "$last" -gt 200 ] || fail "$client got only $last answers"
  [ "$answered" = "$last" ] || fail "$client lost $((last - answered)) of $last packets"
  ip netns exec "${netns[$client]}" ping -n -q -c 1 -w 300 "${upstream[$client]}" >/dev/null ||
    fail "$client: ${upstream[$client]} does not answer any more, after $last of $sent packets"
  [ "$arrived" -ge "$last" ] || fail "$client: $arrived of $last requests arrived upstream"
  # wg itself, on the client: one session with the gateway, and it is young.
  ip netns exec "${netns[$client]}" wg show "${device[$client]}" latest-handshakes | grep -qv '\s0$' ||
    fail "$client has no handshake"
done
grep -q '"active_pool": *"green"' <<<"$status" || fail "the active pool is not green: $status"
echo "Nothing was lost."
