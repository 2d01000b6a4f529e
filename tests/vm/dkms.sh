#!/usr/bin/env bash
# usage: dkms.sh PROGRAMS OUT
#
# A gateway with a module of Debian's own iptables-netflow-dkms: compiled twice to the same bytes, signed, held against
# what modinfo, openssl and dpkg-deb say, and loaded by the kernel that it was compiled for. Then an interrupted
# compilation, of which nothing stays.
set -euo pipefail
. "$(dirname "$0")/preamble.sh" "$1"
fresh "$2"
builder() { "$programs/weir-builder" "$@" --cache cache; }
kept=$(realpath -m "$programs/../test-cache")
mkdir -p cache/blobs
[ ! -d "$kept/blobs/sha256" ] || cp -al "$kept/blobs/sha256" cache/blobs/

sed 's|wireguard, nf_tables\]|wireguard, nf_tables, {name: ipt_NETFLOW, dkms: iptables-netflow-dkms}]\nmodule_signer: operator.crt|
     s|^name: .*|name: compiled|' "$source/examples/gateway-6.1.yaml" > image.yaml
openssl req -x509 -newkey rsa:2048 -nodes -batch -days 9 -subj '/CN=Operator of modules' \
  -keyout operator.pem -out operator.crt 2> /dev/null
"$programs/weir-keys" generate --out release --no-passphrase > /dev/null

echo "== what is no DKMS package is refused when locking"
sed 's|{name: ipt_NETFLOW, dkms: iptables-netflow-dkms}|{name: x, dkms: bash}|' image.yaml > bash.yaml
refused "bash.yaml: modules: x is to be compiled from bash 5" builder lock bash.yaml
grep -q "which is no DKMS package: it has no /usr/src/NAME/dkms.conf" said || die "it does not say why"
[ ! -e bash.lock.json ] || die "it was locked"

echo "== a release waits for the operator's signature"
builder lock image.yaml
builder module image.yaml --plan | tee said
grep -q "would compile iptables-netflow-dkms with linux-headers-6.1" said || die "the plan does not name the headers"
grep -q "sign   by CN = Operator of modules, but no --module-key is given" said || die "the plan does not say who signs"
refused "operator.crt: holds a certificate" builder module image.yaml --plan --module-key operator.crt
! builder build image.yaml --key release.key --store store > said 2>&1 || die "it was built without a signature"
cat said
grep -q "module ipt_NETFLOW is to be signed by CN = Operator of modules" said || die "it does not say by whom"
[ ! -e store/releases ] || [ -z "$(ls store/releases)" ] || die "a release was written"

echo "== compiled and signed, as modinfo and openssl see it"
builder module image.yaml --module-key operator.pem --out modules --json > module.json
module=modules/ipt_NETFLOW.ko
serial=$(openssl x509 -in operator.crt -noout -serial | cut -d= -f2)
[ "$(modinfo -F sig_key ./$module | tr -d ': \n')" = "$serial" ] || die "signed with another key"
[ "$(modinfo -F signer ./$module)" = "Operator of modules" ] || die "signed by somebody else"
[ "$(modinfo -F sig_hashalgo ./$module)" = sha256 ] || die "another digest"
python3 - $module <<'PYTHON'
import sys
data = open(sys.argv[1], "rb").read()
mark = b"~Module signature appended~\n"
assert data.endswith(mark)
size = int.from_bytes(data[-len(mark) - 4 : -len(mark)], "big")
end = len(data) - len(mark) - 12
open("signature", "wb").write(data[end - size : end])
open("content", "wb").write(data[: end - size])
PYTHON
openssl cms -verify -binary -inform DER -in signature -content content -certfile operator.crt -nointern -noverify \
  -out /dev/null 2> said || die "openssl: $(cat said)"

echo "== the release says where it came from"
builder build image.yaml --key release.key --store store
"$programs/weir-builder" provenance compiled --store store --key release.pub > provenance.json
"$programs/weir-builder" verify compiled --store store --key release.pub --provenance
# Its code is in the image and its package is not: bills name it for scanners.
"$programs/weir-builder" sbom compiled --store store --key release.pub --format spdx --out spdx
"$programs/weir-builder" sbom compiled --store store --key release.pub --format cyclonedx --out cyclonedx
/usr/bin/python3 -W ignore "$source/tests/schemas/sbom.py" spdx cyclonedx || die "the bills do not hold to their rules"
grep -q '"relationshipType": "GENERATED_FROM"' spdx || die "no module is from its source in the bill"
deb=$(python3 - <<'PYTHON'
import hashlib, json
lock = json.load(open("image.lock.json"))["module_build"]
release = json.load(open("store/releases/compiled/release.json"))
module, = [m for m in release["modules"] if m["name"] == "ipt_NETFLOW"]
package, = [p for p in lock["packages"] if p["name"] == "iptables-netflow-dkms"]
def digest(path):
    return "sha256:" + hashlib.sha256(open(path, "rb").read()).hexdigest()
origin = module["origin"]
assert module["package"] == package["name"] and module["pinned"], module
assert (origin["version"], origin["package_digest"]) == (package["version"], package["digest"]), origin
assert module["digest"] == digest("modules/ipt_NETFLOW.ko") and origin["compiled"] == digest("content")
assert module["vermagic"].startswith(release["kernel"]["release"] + " "), module
assert all(p["name"] != package["name"] for p in release["packages"]), "its source is in the image"
made = json.load(open("provenance.json"))["predicate"]["buildDefinition"]["resolvedDependencies"]
by_digest = {"sha256:" + a["digest"]["sha256"]: a for a in made}
assert {p["digest"] for p in lock["packages"]} <= set(by_digest), "a package of the compiler is not named"
assert by_digest[package["digest"]]["annotations"]["use"] == "source of modules"
ours = by_digest[module["digest"]]["annotations"]
assert ours["dkms_conf"] == origin["dkms_conf"] and ours["signer"] == module["signature_key"], ours
print("cache/blobs/sha256/" + package["digest"][7:])
PYTHON
)
conf=$(dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards './usr/src/*/dkms.conf' | sha256sum | cut -c1-64)
grep -q "\"dkms_conf\": \"sha256:$conf\"" store/releases/compiled/release.json || die "another dkms.conf"

echo "== a record that somebody emptied is not believed"
cp -a cache/compiled compiled
for record in cache/compiled/*; do echo '{"modules":[]}' > "$record"; done
builder module image.yaml --plan > said
cat said
grep -q "is not what compiling iptables-netflow-dkms made (it names no module): it is compiled again" said || die "it does not say so"
grep -q "would compile iptables-netflow-dkms" said || die "it would not be compiled"
rm -r cache/compiled && mv compiled cache/compiled

echo "== compiled again, without the key, it is the same"
rm -r cache/compiled cache/signatures
"$programs/weir-builder" rebuild compiled --store store --cache cache | tee said
grep -q "is bit-identical" said || die "it is not the same"

echo "== the kernel loads it"
"$programs/weir-builder" boot-check compiled --store store --key release.pub --sign-with release.key --json > booted.json
python3 - <<'PYTHON'
import json
facts = json.load(open("booted.json"))["statement"]["facts"]
loaded = {m["name"] for m in facts["modules"]}
assert "ipt_NETFLOW" in loaded, loaded
PYTHON

echo "== a kernel that a dkms.conf excludes is named"
sed 's|{name: ipt_NETFLOW, dkms: iptables-netflow-dkms}|{name: v4l2loopback, dkms: v4l2loopback-dkms}|' image.yaml \
  > excluded.yaml
builder lock excluded.yaml > /dev/null
! builder module excluded.yaml > said 2>&1 || die "v4l2loopback was compiled for a cloud kernel, which has no V4L2"
cat said
grep -q "v4l2loopback-dkms .* says that it is not for kernel 6.1.*BUILD_EXCLUSIVE" said || die "it does not say so"

echo "== of an interrupted compilation nothing stays"
"$programs/weir-builder" module image.yaml --cache cache --again > said 2>&1 &
background=$!
for _ in $(seq 600); do
  pgrep -P "$background" bwrap > /dev/null && break
  kill -0 "$background" 2> /dev/null || die "it ended: $(cat said)"
  sleep 0.1
done
pgrep -P "$background" bwrap > /dev/null || die "it does not compile within a minute"
sandbox=$(pgrep -P "$background" bwrap)
kill -TERM "$background"
status=0
wait "$background" || status=$?
background=
[ $status = 143 ] || die "exit status $status"
for _ in $(seq 100); do
  kill -0 "$sandbox" 2> /dev/null || break
  sleep 0.1
done
! kill -0 "$sandbox" 2> /dev/null || die "the compiler still runs"
! compgen -G 'cache/compile.unfinished.*' || die "its root stays"
echo ok
