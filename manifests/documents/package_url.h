#pragma once

#include <string>
#include <string_view>

namespace weir::manifests {

/// Whose packages are looked up in Debian's advisories.
inline constexpr std::string_view kDebian = "debian";

/// Names a package in Debian's format the way scanners and SBOMs do:
/// "pkg:deb/debian/attr@1:2.4.47-2%2Bb1?arch=amd64&distro=bookworm".
///
/// vendor   whose it is: `kDebian`
/// distro   a codename; empty: left out
/// source   the purl specification (package-url/purl-spec): "Character encoding", and the type deb
[[nodiscard]] std::string debian_package_url(std::string_view vendor, std::string_view name,
                                             std::string_view version,
                                             std::string_view architecture,
                                             std::string_view distro);

/// The codename that a suite belongs to: "bookworm" of "bookworm-security" and of "mine:bookworm";
/// empty of a flat archive.
[[nodiscard]] std::string_view codename_of(std::string_view suite);

}  // namespace weir::manifests
