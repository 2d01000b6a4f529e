#!/usr/bin/env bash
# usage: sysroot.sh ARCHITECTURE OUT
#
# Unpacks what the node programs are compiled and linked with, and the EFI stub of that architecture, into
# OUT: Debian packages of ARCHITECTURE from this machine's own apt sources, verified by its keyrings as apt
# verifies everything. apt works in folders of its own for it; this machine's packages, architectures and
# lists stay as they are. Needs no root.
set -euo pipefail
architecture=$1
out=$(realpath -m "$2")
packages=(libc6-dev libsodium-dev libmnl-dev libssl-dev libboost-dev nlohmann-json3-dev libexpected-dev
  systemd-boot-efi)

work=$out.apt
new=$out.new
rm -rf "$work" "$new"
trap 'rm -rf "$work" "$new"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$new/usr/lib"
# C++'s own library comes with the cross compiler.
cat > "$work/status" <<TEXT
Package: weir-cross-compiler
Status: install ok installed
Architecture: $architecture
Version: 1
Maintainer: nobody
Description: stands for the cross compiler
Provides: libstdc++-dev
TEXT
cat > "$work/apt.conf" <<TEXT
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "$(id -un)";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$work";
Dir::State::status "$work/status";
Dir::Cache "$work";
TEXT
export APT_CONFIG=$work/apt.conf

# A source of somebody else that has nothing for this architecture is no hindrance.
apt-get -qq update || echo "sysroot.sh: apt could not read all of its sources" >&2
apt-get -qq install --download-only --yes "${packages[@]}" > "$work/log" 2>&1 || {
  cat "$work/log" >&2
  echo "sysroot.sh: apt's sources do not have what the node programs of $architecture need" >&2
  exit 1
}
ln -s usr/lib "$new/lib"
for deb in "$work"/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --keep-directory-symlink -C "$new"
done
# Links that lead to the root of a machine lead to that of the folder.
find "$new" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link target; do
  ln -sfn --relative "$new$target" "$link"
done
rm -rf "$out"
mv "$new" "$out"
