#!/usr/bin/env bash
# dpkg 1.21.23
#
# A package whose data.tar has a pax header (an extended attribute such as a file capability, a time with fractions, a
# name over 100 bytes: what tar and python write today by themselves) is read, listed and unpacked by dpkg-deb, which
# leaves that to tar(1), and cannot be installed: dpkg reads the same archive by itself, and knows no pax. Names over
# 100 bytes have to be GNU's. So file capabilities never come in a package, and what dpkg-deb -x shows of one is no proof
# that it installs.
#
# Seen, of one package with an attribute and of one with the same file in GNU's format:
#   dpkg-deb -x     unpacks, unpacks
#   dpkg -i         unsupported PAX tar header type 'x', installs
. "${0%/*}/pinned.sh"
pinned dpkg=1.21.23
dpkg=$root/usr/bin/dpkg
# dpkg calls its own programs by name.
export PATH=$root/usr/bin:$PATH

cd "$work"
mkdir -p control
printf '%s\n' 'Package: demo' 'Version: 1.0' 'Architecture: all' 'Maintainer: nobody' 'Description: demo' > control/control
tar -C control -cf control.tar ./control
echo 2.0 > debian-binary
for format in pax gnu; do
  python3 - $format <<'PYTHON'
import io, sys, tarfile
format = {"pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}[sys.argv[1]]
with tarfile.open("data.tar", "w", format=format) as tar:
    entry = tarfile.TarInfo("./file")
    entry.mode, entry.size = 0o644, 1
    if sys.argv[1] == "pax":
        entry.pax_headers = {"SCHILY.xattr.user.demo": "value"}
    tar.addfile(entry, io.BytesIO(b"x"))
PYTHON
  rm -f $format.deb
  ar rc $format.deb debian-binary control.tar data.tar
done
unpacks() {
  "$root/usr/bin/dpkg-deb" -x "$1.deb" "out-$1" 2> /dev/null && [ -f "out-$1/file" ] && echo unpacks || echo fails
}
installs() {
  mkdir -p "admin-$1/var/lib/dpkg/info" "admin-$1/var/lib/dpkg/updates"
  touch "admin-$1/var/lib/dpkg/status"
  if "$dpkg" --force-not-root --force-bad-path --root="$PWD/admin-$1" -i "$1.deb" > said 2>&1; then
    echo installs
  else
    sed -n "s/.*\(unsupported PAX tar header type '.'\).*/\1/p" said
  fi
}
seen 'dpkg-deb -x, pax' unpacks "$(unpacks pax)"
seen 'dpkg-deb -x, gnu' unpacks "$(unpacks gnu)"
seen 'dpkg -i, pax' "unsupported PAX tar header type 'x'" "$(installs pax)"
seen 'dpkg -i, gnu' installs "$(installs gnu)"
verdict
