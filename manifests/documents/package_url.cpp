#include "manifests/documents/package_url.h"

#include "manifests/base/ascii.h"
#include "manifests/documents/image_sources.h"

namespace weir::manifests {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What must not be encoded: letters, digits, the four punctuation characters, and the colon, which
// Debian's epochs need.
std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kPlain = ".-_~:", kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_alphanumeric(c) || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace

std::string debian_package_url(std::string_view vendor, std::string_view name,
                               std::string_view version, std::string_view architecture,
                               std::string_view distro) {
  std::string out = "pkg:deb/" + percent_encoded(vendor) + "/" +
                    percent_encoded(ascii_lower(name)) + "@" + percent_encoded(version) +
                    "?arch=" + percent_encoded(architecture);
  if (!distro.empty()) out += "&distro=" + percent_encoded(distro);
  return out;
}

std::string_view codename_of(std::string_view suite) {
  suite = suite_of(suite);
  return is_flat(suite) ? "" : suite.substr(0, suite.find_first_of("-/"));
}

}  // namespace weir::manifests
