#!/usr/bin/env bash
# wireguard-tools 1.0.20210914, wireguard-go 0.0.20220316
#
# `wg` takes a socket that refuses connections for a dead program's and removes it, and a socket refuses between bind(2)
# and listen(2). Whoever asks `wg show` again and again until a new wireguard-go answers, and hits that moment, ends it:
# it finds no socket to watch, and the interface goes. What `wg` says of it is that the protocol is not supported. The
# way that does no harm is to connect to the socket oneself before `wg` is run for the first time.
#
# Seen, with strace holding wireguard-go up between the two calls:
#   socket when wireguard-go has bound it                      there
#   exit status of wg show                                     1
#   what it says                                               Unable to access interface: Protocol not supported
#   socket after it                                            gone
#   exit status of wireguard-go                                1
#   what it says                                               Failed to listen on uapi socket: no such file or directory
. "${0%/*}/pinned.sh"
pinned wireguard-go=0.0.20220316-1+b4 wireguard-tools=1.0.20210914-1+b1 strace=6.1-0.1
export wg=$root/usr/bin/wg go=$root/usr/bin/wireguard-go strace=$root/usr/bin/strace work
# The sockets of all devices of a machine lie in one folder.
export device=wgf$((RANDOM % 10000))
socket=/var/run/wireguard/$device.sock
there() { [ -S "$socket" ] && echo there || echo gone; }

unshare -n bash -euc '
  "$strace" -f -o "$work/calls" -e trace=bind,listen -e inject=listen:delay_enter=5000000 \
    "$go" -f "$device" >"$work/log" 2>&1 || echo $? >"$work/status"
' &
started+=($!)
until grep -q "bind(.*$device" "$work/calls" 2>/dev/null; do kill -0 "${started[0]}"; sleep 0.05; done
seen 'socket when wireguard-go has bound it' there "$(there)"
status=0
said=$("$wg" show "$device" 2>&1) || status=$?
seen 'exit status of wg show' 1 "$status"
seen 'what it says' 'Unable to access interface: Protocol not supported' "$said"
seen 'socket after it' gone "$(there)"
wait "${started[0]}" || true
started=()
seen 'exit status of wireguard-go' 1 "$(cat "$work/status")"
seen 'what it says' 'Failed to listen on uapi socket: no such file or directory' "$(sed -n 's/.*\(Failed.*\)/\1/p' "$work/log")"
verdict
