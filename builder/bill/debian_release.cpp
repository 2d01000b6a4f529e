#include "builder/bill/debian_release.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "manifests/documents/package_url.h"

namespace weir::builder {
namespace {

// source: distro-info-data, debian.csv
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kReleases = {
    {{"buster", "10"},
     {"bullseye", "11"},
     {"bookworm", "12"},
     {"trixie", "13"},
     {"forky", "14"},
     {"duke", "15"}}};

}  // namespace

std::string debian_release_of(const manifests::Lock& lock) {
  for (const auto& source : lock.sources) {
    const auto codename = manifests::codename_of(source.suite);
    const auto* found = std::find_if(kReleases.begin(), kReleases.end(),
                                     [&](const auto& each) { return each.first == codename; });
    if (found != kReleases.end()) return std::string(found->second);
  }
  for (const auto& package : lock.packages) {
    if (package.name != "base-files") continue;
    const auto digits = package.version.find_first_not_of("0123456789");
    return package.version.substr(0, digits);
  }
  return {};
}

}  // namespace weir::builder
