#!/usr/bin/env bash
# usage: debian_releases.sh PROGRAMS OUT
#
# The gateways of the Debian releases after 12 (whose two are booted by every other test here): baked, and booted
# with `weir-builder boot-check`, which makes a handshake and sends data both ways. A suite whose Release has expired
# on the mirror is refused and named, with what to do, and baked once that is accepted.
set -euo pipefail
. "$(dirname "$0")/preamble.sh" "$1"
fresh "$2"

# RELEASE DEBIAN SERIES PACKAGES: what the booted node says of itself, held against the release.
boots() {
  "$programs/weir-builder" boot-check "$1" --store store --key release.pub --sign-with release.key \
    --json > result.json 2> progress || die "$1: $(cat progress)"
  grep -qF "the image's own wg sees the same peer" progress || die "$1: wg was not asked"
  python3 - "$1" "$2" "$3" "$4" <<'PYTHON'
import json, sys
name, debian, series, split = sys.argv[1:5]
statement = json.load(open("result.json"))["statement"]
release = json.load(open(f"store/releases/{name}/release.json"))
facts, kernel = statement["facts"], release["kernel"]
assert facts["kernel_release"].startswith(series), facts["kernel_release"]
assert (facts["kernel_release"], facts["kernel_build_id"]) == (kernel["release"], kernel["build_id"])
# Which packages the kernel and its modules came in, and what wireguard needs of this kernel (modinfo).
own = {p["name"] for p in release["packages"] if p["name"].endswith("-" + kernel["release"])}
parts = ["image"] + (["base", "binary", "modules"] if split == "split" else [])
assert own == {f"linux-{part}-{kernel['release']}" for part in parts}, own
modules = {m["name"]: m["package"] for m in release["modules"]}
holder = "modules" if split == "split" else "image"
assert set(modules.values()) == {f"linux-{holder}-{kernel['release']}"}, modules
assert ("libcurve25519" in modules) == (split == "split"), modules
assert ("curve25519_x86_64" in modules) == (split != "split"), modules
versions = {p["name"]: p["version"] for p in release["packages"]}
assert versions["base-files"].startswith(debian), versions["base-files"]
traffic = statement["traffic"]
assert traffic["sent"] >= 2 ** 18 and traffic["received"] >= 2 ** 18, traffic
print(f"{name}: {kernel['release']}, Debian {versions['base-files']}, "
      f"handshake and {traffic['received']} bytes back; {statement['timeline'][-1]['ms']} ms")
PYTHON
}

echo "== Debian 13, with its own kernel and with the one of its backports"
"$source/tests/lab/bake.sh" "$programs" . gateway-debian-13 gateway-debian-13-backports
boots gateway-debian-13 13. 6.12. whole
boots gateway-debian-13-backports 13. 7. split

echo "== Debian 14, whose suite may have expired on the mirror"
cp "$source/examples/gateway-debian-14.yaml" .
read -ra mirrors <<< "$("$source/tests/lab/mirrors.sh" gateway-debian-14.yaml)"
if ! "$programs/weir-builder" lock gateway-debian-14.yaml "${mirrors[@]}" > said 2>&1; then
  cat said
  grep -q "suite forky: .*expired .* ago" said || die "it does not say that forky has expired"
  grep -qF -- "--mirror forky=URL" said || die "it does not say what to do"
  [ ! -e gateway-debian-14.lock.json ] || die "a lock was written"
  "$programs/weir-builder" lock gateway-debian-14.yaml --accept-expired forky "${mirrors[@]}"
  grep -q '^      "expired": ' gateway-debian-14.lock.json || die "the lock does not say that forky had expired"
fi
"$programs/weir-builder" build gateway-debian-14.yaml --key release.key --store store "${mirrors[@]}"
boots gateway-debian-14 14. 7. split
echo ok
