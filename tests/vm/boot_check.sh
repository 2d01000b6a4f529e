#!/usr/bin/env bash
# usage: boot_check.sh PROGRAMS STORE OUT
#
# Boots a baked release with `weir-builder boot-check`, signs with a key in a token (SoftHSM), and looks at
# what it states with minisign and python: facts as the release has them, data both ways. Then what must be
# refused, what must not stay behind, and a fleet that demands the check.
set -euo pipefail
. "$(dirname "$0")/preamble.sh" "$1"
baked=$(realpath "$2")
release=gateway-6.12

fresh "$3"
cp -r "$baked/store" store
rm -rf store/statements
cp "$baked/release.pub" .
minisign -G -W -p stranger.pub -s stranger.key > /dev/null
module=/usr/lib/softhsm/libsofthsm2.so
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$PWD/tokens" > token.conf
export SOFTHSM2_CONF=$PWD/token.conf
mkdir tokens
softhsm2-util --init-token --free --label lab --pin 1234 --so-pin 5678 > /dev/null
pkcs11-tool --module $module --login --pin 1234 --token-label lab --keypairgen --key-type EC:edwards25519 \
  --label booted --id 0102030405060708 > /dev/null 2>&1
token() { echo "pkcs11:token=lab;object=booted?module-path=$module&pin-value=$1"; }
"$programs/weir-keys" pkcs11 --pkcs11 "$(token 1234)" --out lab.pub > /dev/null
digest=$(sha256sum < store/releases/$release/release.json | cut -c1-64)

check() { "$programs/weir-builder" boot-check "$1" --store store --key "$2" "${@:3}"; }
verify() { "$programs/weir-builder" verify "$1" --store store --key release.pub "${@:2}"; }
nothing_stays() {
  ! pgrep -f -- '-name guest=weir-boot-check' || die "QEMU stays"
  ! pgrep -x weir-boot-check || die "weir-boot-check stays"
  ! ip -br link | grep -E 'weir-(data|mgmt|client)' || die "interfaces stay"
}

echo "== a token that cannot sign is found out before anything boots"
refused "log in to token lab" check $release release.pub --pkcs11 "$(token 9999)"
! grep -q "booting release" said || die "it boots for nothing"

echo "== it boots, and says so with a signature"
check $release release.pub --pkcs11 "$(token 1234)" --json > result.json 2> progress || die "$(cat progress)"
cat progress
grep -qF "the image's own wg sees the same peer" progress || die "wg was not asked"
! grep -qF pin-value progress result.json || die "it tells the PIN"
nothing_stays
statement=$(echo store/statements/"$digest"/booted-*.json)
minisign -V -q -p lab.pub -m "$statement"
"$programs/weir-builder" validate "$statement"
python3 - "$statement" store/releases/$release/release.json "$digest" <<'PYTHON'
import json, sys
statement, release = (json.load(open(path)) for path in sys.argv[1:3])
first = open(sys.argv[1]).read(40)
assert first.startswith('{\n  "type": "weir.boot-check/1"'), first
assert statement["release_digest"] == "sha256:" + sys.argv[3]
facts, kernel = statement["facts"], release["kernel"]
assert facts["lock_digest"] == release["lock_digest"]
assert (facts["kernel_release"], facts["kernel_build_id"]) == (kernel["release"], kernel["build_id"])
loaded = {module["name"]: module for module in facts["modules"]}
pinned = [module for module in release["modules"] if module["pinned"]]
assert pinned and set(loaded) == {module["name"] for module in pinned}, loaded.keys()
for module in pinned:
    for field in ("version", "srcversion", "build_id"):
        assert loaded[module["name"]][field] == module[field], module["name"]
tools = {tool["name"]: tool["version"] for tool in facts["tools"]}
assert tools == {tool["name"]: tool["version"] for tool in release["tools"]}
traffic = statement["traffic"]
assert traffic["sent"] >= 2 ** 18 and traffic["received"] >= 2 ** 18
# Every packet of the handshake and of the data has WireGuard's own bytes around it.
assert min(traffic["node_rx_bytes"], traffic["peer_tx_bytes"]) > traffic["sent"]
assert min(traffic["node_tx_bytes"], traffic["peer_rx_bytes"]) > traffic["received"]
steps = [step["step"] for step in statement["timeline"]]
assert steps.index("api-answers") < steps.index("first-handshake") < steps.index("first-data"), steps
assert "init-starts" in steps and "kernel-starts" in steps, steps
result = json.load(open("result.json"))
assert result["passed"] and result["statement"] == statement
for step in statement["timeline"]:
    print(f'{step["ms"]:6} ms  {step["step"]}')
PYTHON
verify $release --boot-checked-by 1 --checker lab.pub

echo "== a statement counts for its signer, its bytes and its release only"
refused "it is not one of those asked" verify $release --boot-checked-by 1 --checker stranger.pub
other=$(sha256sum < store/releases/gateway-6.1/release.json | cut -c1-64)
cp -r "store/statements/$digest" "store/statements/$other"
refused "it is about another release" verify gateway-6.1 --boot-checked-by 1 --checker lab.pub
rm -r "store/statements/$other"
cp "$statement" kept
sed -i 's/"node_rx_bytes": /"node_rx_bytes": 1/' "$statement"
refused "does not count" verify $release --boot-checked-by 1 --checker lab.pub
cp kept "$statement"
refused "which is not trusted here" check $release stranger.pub --sign-with stranger.key

echo "== a fleet that demands it"
touch peers.jsonl
"$programs/weir-keys" generate-wireguard --out gateway.identity --key-file gateway.seal > /dev/null
sed -e '/network_namespace/d' -e 's/^identity:.*/identity: gateway.identity\nidentity_key_file: gateway.seal/' \
  -e 's/trusted_keys:.*/trusted_keys: [release.pub]\nboot_check: {keys: [lab.pub]}/' \
  "$source/examples/fleet.yaml" > fleet.yaml
# With the way on that the fleet names, in a network of its own.
deploy() {
  unshare --net sh -c 'ip link add upstream0 type veth peer name beyond && exec "$@"' sh \
    "$programs/weir-deployer" up --plan --fleet fleet.yaml --release "$1"
}
deploy $release
refused "was boot-checked by 0 of the 1 demanded" deploy gateway-6.1

variant() { # NAME FROM TO: a changed copy of the release, signed by the stranger
  mkdir -p "store/releases/$1"
  sed -e "s/\"name\": \"$release\"/\"name\": \"$1\"/" -e "s|$2|$3|" \
    store/releases/$release/release.json > "store/releases/$1/release.json"
  minisign -S -s stranger.key -m "store/releases/$1/release.json" > /dev/null
}
echo "== a node that is not what was released"
variant mislabelled '"lock_digest": "sha256:[0-9a-f]*"' '"lock_digest": "sha256:'"$digest"'"'
refused "reports lock digest sha256:" check mislabelled stranger.pub --sign-with stranger.key
echo "== a release that does not come up"
variant deaf '"command_line": "' '&rdinit=/nonexistent panic=0 '
# Far sooner than the time it has: the console says so.
before=$SECONDS
refused "the node's kernel gave up: Kernel panic - not syncing: " \
  check deaf stranger.pub --sign-with stranger.key --timeout 900
[ $((SECONDS - before)) -lt 800 ] || die "a panic was noticed only after $((SECONDS - before)) s"
grep -q "its console ends with: " said || die "the console is not quoted"
nothing_stays
[ "$(ls store/statements)" = "$digest" ] || die "a release that failed has a statement"

interrupt() { # SIGNAL
  "$programs/weir-builder" boot-check gateway-6.1 --store store --key release.pub --sign-with stranger.key \
    > interrupted 2>&1 &
  background=$!
  local end=$((SECONDS + 300))
  until pgrep -f -- '-name guest=weir-boot-check' > /dev/null; do
    [ $SECONDS -lt $end ] || die "no machine came up"
    sleep 0.1
  done
  kill "-$1" $background
  local status=0
  wait $background 2> /dev/null || status=$?
  background=
  [ $status != 0 ] || die "interrupted, and yet done"
  end=$((SECONDS + 300))
  while pgrep -f -- '-name guest=weir-boot-check' > /dev/null || pgrep -x weir-boot-check > /dev/null; do
    [ $SECONDS -lt $end ] || die "it goes on after SIG$1"
    sleep 0.1
  done
  nothing_stays
  [ "$(ls store/statements)" = "$digest" ] || die "SIG$1 left a statement"
}
echo "== interrupted, and killed"
interrupt INT
cat interrupted
interrupt KILL
echo ok
