#include "manifests/documents/package_url.h"

#include <doctest/doctest.h>

namespace weir::manifests {

// package-url/purl-spec, tests/types/deb-test.json: "build" and "validate" cases.
TEST_CASE("package URLs are those of the purl specification's tests") {
  CHECK(debian_package_url(kDebian, "curl", "7.50.3-1", "i386", "jessie") ==
        "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie");
  CHECK(debian_package_url(kDebian, "dpkg", "1.19.0.4", "amd64", "stretch") ==
        "pkg:deb/debian/dpkg@1.19.0.4?arch=amd64&distro=stretch");
  CHECK(debian_package_url(kDebian, "attr", "1:2.4.47-2", "source", "") ==
        "pkg:deb/debian/attr@1:2.4.47-2?arch=source");
  CHECK(debian_package_url(kDebian, "attr", "1:2.4.47-2+b1", "amd64", "") ==
        "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64");
}

// The same, "Character encoding": letters, digits, '.', '-', '_', '~' and ':' stay; all else does
// not, and the type deb has names in lower case.
TEST_CASE("everything else in a package URL is percent-encoded") {
  CHECK(debian_package_url(kDebian, "libstdc++6", "12.2.0-14+deb12u1", "amd64", "bookworm") ==
        "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=bookworm");
  CHECK(debian_package_url(kDebian, "X_y", "1~rc1-1~bpo12+1", "all", "") ==
        "pkg:deb/debian/x_y@1~rc1-1~bpo12%2B1?arch=all");
  CHECK(debian_package_url(kDebian, "a b/c%", "1@2?3&4=#", "\xc3\xa9", "") ==
        "pkg:deb/debian/a%20b%2Fc%25@1%402%3F3%264%3D%23?arch=%C3%A9");
  CHECK(debian_package_url("frr", "frr", "10.3-1", "amd64", "") ==
        "pkg:deb/frr/frr@10.3-1?arch=amd64");
}

TEST_CASE("a suite's codename comes before its first dash") {
  CHECK(codename_of("bookworm") == "bookworm");
  CHECK(codename_of("bookworm-security") == "bookworm");
  CHECK(codename_of("bookworm-backports-sloppy") == "bookworm");
}

}  // namespace weir::manifests
