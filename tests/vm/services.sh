#!/usr/bin/env bash
# usage: services.sh PROGRAMS OUT
#
# An image with unbound, chrony, BIRD and prometheus-node-exporter, baked from today's Debian. Its boot check fails
# while one of them does not come up, with what that said, and passes else. Then a fleet boots it, in a network of its
# own: the node gets its own file, every service is asked from outside, one is ended and comes back, and a file that
# changed reaches its service. What is secret stands nowhere.
set -euo pipefail
. "$(dirname "$0")/preamble.sh" "$1"

if [ -z "${WEIR_IN_NETWORK:-}" ]; then
  fresh "$2"
  bake() { # MANIFEST
    read -ra mirrors <<< "$("$source/tests/lab/mirrors.sh" "$1")"
    "$programs/weir-builder" lock "$1" "${mirrors[@]}" > /dev/null
    "$programs/weir-builder" build "$1" --key release.key --store store "${mirrors[@]}" > /dev/null
  }
  check() { "$programs/weir-builder" boot-check "$1" --store store --key release.pub "${@:2}"; }
  "$programs/weir-keys" generate --no-passphrase --out release > /dev/null

  # The example, and in it a way to end unbound from outside, and what tmpfiles.d makes below /run.
  sed 's|^            include: /etc/unbound/names.conf|&\n          remote-control:\n            control-enable: yes\n            control-interface: 0.0.0.0\n            control-use-cert: no|
       s|open: \[{udp: 53}|open: [{tcp: 8953}, {udp: 53}|' \
    "$source/examples/services.yaml" > services.yaml
  cat >> services.yaml << 'YAML'
files:
  - path: /etc/tmpfiles.d/gateway.conf
    content: |
      d /run/gateway 0750 unbound unbound
      L /run/gateway/names - - - - /etc/unbound/names.conf
YAML
  grep -q 8953 services.yaml && grep -q control-enable services.yaml || die "the example is another one"

  echo "== what cannot work is refused where it is written"
  sed 's|/usr/sbin/bird, -f|/usr/sbin/birdie, -f|' services.yaml > typo.yaml
  read -ra mirrors <<< "$("$source/tests/lab/mirrors.sh" typo.yaml)"
  "$programs/weir-builder" lock typo.yaml "${mirrors[@]}" > /dev/null
  refused "service services.bird.command[0]: /usr/sbin/birdie is not in the image" \
    "$programs/weir-builder" build typo.yaml --key release.key --store store "${mirrors[@]}"
  sed 's|user: prometheus|user: promotheus|' services.yaml > stranger.yaml
  line=$(grep -n "user: promotheus" stranger.yaml | cut -d: -f1)
  refused "stranger.yaml:$line: services.exporter.user: nobody makes the user 'promotheus'" \
    "$programs/weir-builder" lock stranger.yaml "${mirrors[@]}"

  echo "== an image with a service that does not come up"
  sed 's|^name: services|name: broken|; s|router id 192.0.2.1|router id fish|' services.yaml > broken.yaml
  bake broken.yaml
  umask 077
  echo 'local-data: "gateway.inside.example. A 192.0.2.7"' > boot-check-names
  refused "services: service bird: backing off, ended with status 1, started again" \
    check broken --node-file unbound-names=boot-check-names
  grep -q 'bird.conf:2:11 syntax error' said || die "what it said is not told"

  echo "== the image"
  bake services.yaml
  check services --node-file unbound-names=boot-check-names > checked 2>&1 || die "$(cat checked)"
  cat checked
  for service in unbound chrony bird exporter; do
    grep -q "service $service: ready" checked || die "$service is not ready"
  done
  grep -q "waiting for service unbound, [0-9]* s more at most: " checked || die "what it waits for is not told"
  refused "--node-file: no service asks for unbound-nams; they ask for unbound-names" \
    check services --node-file unbound-names=boot-check-names --node-file unbound-nams=boot-check-names --plan

  # In a network of its own, with the way on that the fleet names.
  export WEIR_IN_NETWORK=1
  exec unshare --net --mount --propagation private "$source/tests/vm/services.sh" "$programs" "$PWD"
fi
cd "$2"

ip link set lo up
ip link add upstream0 type veth peer name beyond
ip link set upstream0 up
ip link set beyond up
umask 077
mkdir -p secrets
echo 'local-data: "gateway.inside.example. TXT hoPhahB4uuQu"' > secrets/blue-1.names
touch peers.jsonl
"$programs/weir-keys" generate-wireguard --out gateway.identity --key-file gateway.seal > /dev/null
sed -e '/network_namespace/d' -e '/^probe:/,/^$/d' \
  -e 's/^identity:.*/identity: gateway.identity\nidentity_key_file: gateway.seal/' \
  -e 's|nodes: \[blue-1\]|&\n    files: {unbound-names: "secrets/{node}.names"}|' "$source/examples/fleet.yaml" > fleet.yaml
grep -q '{node}' fleet.yaml || die "the example fleet is another one"

deployer() { "$programs/weir-deployer" "$@" --fleet fleet.yaml; }
trap 'deployer down > /dev/null 2>&1 || true' EXIT
trap 'exit 130' INT TERM

chmod 644 secrets/blue-1.names
echo "== a secret that others may read is refused before anything boots"
refused "files: unbound-names: ./secrets/blue-1.names: holds a secret in clear that others may read" deployer up --release services
chmod 600 secrets/blue-1.names

echo "== up"
deployer up --release services || die "$(deployer logs blue-1)"
deployer status
deployer status --json > status.json

cat > ask.py <<'PYTHON'
import json, socket, struct, sys, time
node = "10.254.1.3"

def name(kind):  # RFC 1035
    question = b"".join(bytes([len(part)]) + part for part in b"gateway.inside.example".split(b".")) + b"\0"
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.settimeout(10)
    asked.sendto(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + question + struct.pack(">2H", kind, 1), (node, 53))
    return asked.recv(4096)

def text():
    return name(16)

what = sys.argv[1]
if what == "names":
    answer = text()
    assert sys.argv[2].encode() in answer, answer
elif what == "time":  # RFC 5905: version 4, mode 3; its answer is of mode 4, stratum 10
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.settimeout(10)
    asked.sendto(bytes([0x23]) + bytes(47), (node, 123))
    answer = asked.recv(4096)
    assert answer[0] & 7 == 4 and answer[1] == 10, answer[:2]
    seconds = struct.unpack(">I", answer[40:44])[0] - 2208988800
    assert abs(seconds - time.time()) < 60, seconds
elif what == "bgp":  # RFC 4271: OPEN of AS 65000; BIRD answers with its own
    talk = socket.create_connection((node, 179), 10)
    talk.settimeout(10)
    opening = struct.pack(">BHH4sB", 4, 65000, 90, bytes([192, 0, 2, 2]), 0)
    talk.sendall(b"\xff" * 16 + struct.pack(">HB", 19 + len(opening), 1) + opening)
    answer = talk.recv(4096)
    assert answer[18] == 1 and struct.unpack(">H", answer[20:22])[0] == 65010, answer
elif what == "end-unbound":
    talk = socket.create_connection((node, 8953), 10)
    talk.sendall(b"UBCT1 stop\n")
    print(talk.recv(100))
elif what == "status":
    services = {one["name"]: one for pool in json.load(open("status.json"))["pools"] for node in pool["nodes"]
                for one in node.get("services", [])}
    assert set(services) == {"unbound", "chrony", "bird", "exporter"}, services
    assert all(one["up"] and one["state"] == "ready" and one["restarts"] == 0 for one in services.values()), services
    assert any("chronyd version" in line for line in services["chrony"]["last_lines"]), services["chrony"]
PYTHON
ask() { python3 ask.py "$@" || die "ask $*: $(deployer status; deployer logs blue-1 | tail -n 40)"; }

echo "== each of the four is asked from outside"
ask status
ask names hoPhahB4uuQu
ask time
ask bgp
curl -s --max-time 20 http://10.254.1.3:9100/metrics > metrics || die "no metrics"
grep -q '^node_uname_info{.*nodename="blue-1".*release="6\.' metrics || die "these are another's metrics"
# What no service opens stays closed.
! curl -s --max-time 2 http://10.254.0.3:9100/metrics > /dev/null || die "the exporter answers on the data link"

echo "== it is ended, and comes back"
ask end-unbound
restarts() {
  deployer status --json | python3 -c 'import json, sys
for pool in json.load(sys.stdin)["pools"]:
  for node in pool["nodes"]:
    for one in node.get("services", []):
      if one["name"] == "unbound" and one["state"] == "ready": print(one["restarts"], one.get("reason", ""))'
}
until_restarted() { # RESTARTS REASON
  local end=$((SECONDS + 120))
  until [ "$(restarts)" = "$1 $2" ]; do
    [ $SECONDS -lt $end ] || die "unbound: $(restarts), not $1 $2: $(deployer status)"
    sleep 0.2
  done
}
until_restarted 1 "ended with status 0"
ask names hoPhahB4uuQu
deployer status

echo "== a file that changes reaches its service"
echo 'local-data: "gateway.inside.example. TXT Eiqu0ohzahKo"' > secrets/blue-1.names
deployer up --release services
until_restarted 2 "a file of the node's was replaced"
ask names Eiqu0ohzahKo

echo "== what a service said, and nothing of what is secret"
deployer logs blue-1 --service bird > bird.log
grep -q Started bird.log || die "bird's lines are missing"
deployer logs blue-1 > node.log
grep -q 'service bird: .*Started' node.log || die "the node's log does not have them"
grep -q 'made what the image has below its mounts: [0-9]* in /run' node.log || die "/run is as it was mounted"
for secret in hoPhahB4uuQu Eiqu0ohzahKo; do
  ! grep -rqF "$secret" state node.log status.json store || die "a secret is in: $(grep -rlF "$secret" state store)"
done
deployer down
trap - EXIT
echo ok
