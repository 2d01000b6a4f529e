#include "builder/mirror/suite_source.h"

#include "manifests/base/printable.h"

namespace weir::builder {

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
