#!/usr/bin/env bash
# usage: packages_test.sh BUILD
#
# Makes the Debian packages with CPack, looks at them with dpkg, installs them into a root of their own
# and takes them out again.
set -euo pipefail
build=$1
if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: installing into a root needs root"
  [ -z "${WEIR_REQUIRE_ALL:-}" ] && exit 77
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() {
  echo "FAILED: $*"
  exit 1
}

make_packages() { # OUT
  SOURCE_DATE_EPOCH=1795305600 cpack --config "$build/CPackConfig.cmake" -G DEB -B "$1" > "$work/log" 2>&1 ||
    { cat "$work/log"; die "cpack"; }
  rm -rf "$1/_CPack_Packages"
}
make_packages "$work/one"
make_packages "$work/two"
diff -r "$work/one" "$work/two" || die "two runs differ"
cd "$work/one"
packages=(weir-builder weir-keys weir-deployer)
for package in "${packages[@]}"; do
  deb=$(echo "${package}"_*_amd64.deb)
  [ -f "$deb" ] || die "no package $package"
  [ "$(dpkg-deb -f "$deb" Package)" = "$package" ] || die "$deb is called otherwise"
  dpkg-deb -f "$deb" Depends | grep 'libc6 (>= ' > /dev/null || die "$deb: no libraries among its dependencies"
  dpkg -c "$deb" > "$work/contents"
  ! grep -vE '^(-rw-r--r--|-rwxr-xr-x|drwxr-xr-x|lrwxrwxrwx) root/root ' "$work/contents" ||
    die "$deb: odd owners or permissions"
  ! awk '{print $6}' "$work/contents" | grep -vE '^\./(usr/.*)?$' || die "$deb: files outside /usr"
  for file in bin/$package share/man/man1/$package.1.gz share/bash-completion/completions/$package \
    share/zsh/vendor-completions/_$package share/fish/vendor_completions.d/$package.fish; do
    grep -q " ./usr/$file\( \|$\)" "$work/contents" || die "$deb: no /usr/$file"
  done
done
dpkg -c weir-builder_*.deb > "$work/contents"
for file in lib/weir/weir-builder lib/weir/weir-boot-check lib/weir/weir-init \
  lib/weir/weir-node \
  share/weir/schemas/release.schema.json share/doc/weir-builder/boot-formats.md \
  share/doc/weir-builder/examples/gateway-6.12.yaml; do
  grep -q " ./usr/$file$" "$work/contents" || die "weir-builder: no /usr/$file"
done

# For images of arm64, on machines of any architecture: their nodes' programs are none of this machine's.
others=()
if [ -e "$build/bin/arm64/weir-node" ]; then
  others=(weir-builder-arm64)
  other=$(echo weir-builder-arm64_*_all.deb)
  [ -f "$other" ] || die "no package weir-builder-arm64"
  [ "$(dpkg-deb -f "$other" Depends)" = weir-builder ] || die "$other depends on something else"
  for program in weir-init weir-node linuxaa64.efi.stub; do
    dpkg-deb --fsys-tarfile "$other" | tar -xO "./usr/lib/weir/arm64/$program" | cmp - "$build/bin/arm64/$program" ||
      die "$program of arm64 is not the one that was built"
  done
elif [ -n "${WEIR_REQUIRE_ALL:-}" ]; then
  die "no node programs of arm64 were built"
fi

# Their dependencies can be had here.
apt-get install -s --no-install-recommends ./*.deb > "$work/apt" 2>&1 || { cat "$work/apt"; die "apt"; }

root=$work/root
mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers}
touch "$root/var/lib/dpkg/status"
find "$root" -mindepth 1 -not -path "$root/var/lib/dpkg/*" | sort > "$work/before"
dpkg --root="$root" --force-depends --install ./*.deb > "$work/log" 2>&1 || { cat "$work/log"; die "dpkg"; }
dpkg --root="$root" --verify "${packages[@]}" || die "installed files differ from the packages"
for package in "${packages[@]}"; do
  [ "$(dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${db:Status-Status}' "$package")" = installed ] ||
    die "$package is not installed"
  "$root/usr/bin/$package" --help > "$work/help" || die "$package does not run"
  grep -q "usage: $package" "$work/help" || die "$package says something else"
done
# What a lock will name is byte for byte what was built.
for program in weir-init weir-node; do
  cmp "$build/bin/$program" "$(dirname "$(readlink -f "$root/usr/bin/weir-builder")")/$program" ||
    die "$program is not the one that was built"
done
# Real work from where they are installed: a key signs, and a lock finds the programs of the nodes beside it.
mkdir "$work/use"
cd "$work/use"
cp "$root/usr/share/doc/weir-builder/examples/gateway-6.12.yaml" image.yaml
keys=$root/usr/bin/weir-keys
{ "$keys" generate --no-passphrase --out release && "$keys" sign image.yaml --key release.key &&
  "$keys" verify image.yaml --key release.pub && minisign -V -q -p release.pub -m image.yaml; } > "$work/log" 2>&1 ||
  { cat "$work/log"; die "weir-keys cannot sign"; }
"$root/usr/bin/weir-builder" lock image.yaml --cache "$build/test-cache" > "$work/log" 2>&1 ||
  { cat "$work/log"; die "weir-builder cannot lock"; }
for program in weir-init weir-node; do
  grep -q "$(sha256sum < "$build/bin/$program" | cut -d ' ' -f 1)" image.lock.json ||
    die "the lock names another $program than the one that was built"
done
dpkg --root="$root" --purge "${packages[@]}" "${others[@]}" > "$work/log" 2>&1 || { cat "$work/log"; die "purge"; }
find "$root" -mindepth 1 -not -path "$root/var/lib/dpkg/*" | sort | diff "$work/before" - ||
  die "something stayed behind"
echo ok
