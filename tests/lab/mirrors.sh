#!/usr/bin/env bash
# usage: mirrors.sh MANIFEST
#
# Prints `--mirror SUITE=URL` for the manifest's suites of Debian that apt has no source for: the archive keeps all of
# them where the ones are that apt knows.
set -euo pipefail
asked=$(sed -n 's/.*suites: *\[\([^]]*\)\].*/\1/p' "$1" | tr -s ', ' '\n')
known=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | sort -u)
place_of() { awk -v kind="$1" '$1 ~ "^(bookworm|trixie|forky)" kind "$" { print $2; exit }' <<< "$known"; }
main=$(place_of "")
security=$(place_of "-security")
for release in bookworm trixie forky; do
  for kind in "" -updates -backports -security; do
    grep -qx "$release$kind" <<< "$asked" || continue
    grep -q "^$release$kind " <<< "$known" && continue
    place=$main
    [ "$kind" != -security ] || place=$security
    [ -z "$place" ] || printf -- '--mirror %s%s=%s ' "$release" "$kind" "${place%/}"
  done
done
