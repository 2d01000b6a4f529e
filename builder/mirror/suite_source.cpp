#include "builder/mirror/suite_source.h"

#include <algorithm>

#include "manifests/base/ascii.h"
#include "manifests/base/printable.h"
#include "manifests/documents/image_sources.h"
#include "manifests/documents/package_url.h"

namespace weir::builder {

std::string vendor_of(const SuiteSource& source, std::string_view origin) {
  std::string out = source.vendor;
  const auto colon = source.label.find(':');
  if (out.empty() && colon != std::string::npos && !origin.starts_with("Debian")) {
    out = ascii_lower(std::string_view(source.label).substr(0, colon));
    std::replace_if(
        out.begin(), out.end(), [](char c) { return !manifests::is_vendor_character(c); }, '-');
    out.resize(std::min(out.size(), manifests::kLongestVendor));
  }
  return out == manifests::kDebian ? "" : out;
}

Status check_names_suite(std::string_view option, std::string_view label,
                         const std::vector<SuiteSource>& sources) {
  std::string there;
  for (const auto& source : sources) {
    if (source.label == label) return {};
    there += (there.empty() ? "" : ", ") + source.label;
  }
  return fail(Errc::invalid_input, std::string(option) + ": there is no suite " + quotation(label) +
                                       "; those of the manifest are " + there);
}

}  // namespace weir::builder
