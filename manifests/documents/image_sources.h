#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/base/yaml_document.h"

namespace weir::manifests {

/// One place where packages come from, and who may sign there. No document says which host serves
/// it (`mirror` is only "apt"); the machine's apt configuration, a file of apt's beside the
/// manifest, or `--mirror` does.
struct ImageSource {
  std::string name{};                 ///< tells its suites from others of the same name
  std::vector<std::string> suites{};  ///< "bookworm", "bookworm/updates"; a flat archive's folder
                                      ///< ends with "/"
  std::vector<std::string> components{};  ///< "main"; a flat archive has none
  std::string keyring{};  ///< a file's path, or an armoured block; empty: as `apt` says
  std::string vendor{};   ///< whose packages they are, "debian"; empty: what the archive says
  std::string apt{};  ///< a .sources or .list file of apt's that says suites and components instead
  bool operator==(const ImageSource&) const = default;
};

/// What documents and `--mirror` call a suite of a source: "bookworm", or "frr:stable" where the
/// source has a name.
[[nodiscard]] std::string label_of(const ImageSource& source, std::string_view suite);
/// The suite in it, as its archive calls it.
[[nodiscard]] std::string_view suite_of(std::string_view label);
/// Whether a text can be a suite or a component: both become parts of URLs and of documents.
[[nodiscard]] bool is_suite_name(std::string_view text);
[[nodiscard]] bool is_component_name(std::string_view text);
/// Whether a text can name whose packages are: a part of package URLs, 63 of a-z, 0-9, '-', '.'.
[[nodiscard]] bool is_vendor(std::string_view text);
[[nodiscard]] bool is_vendor_character(char c);
inline constexpr std::size_t kLongestVendor = 63;
/// Whether a suite is a folder of a flat archive, with its indices beside its packages.
[[nodiscard]] bool is_flat(std::string_view suite);

/// Of a manifest: one mapping, or a list of them.
[[nodiscard]] Result<std::vector<ImageSource>> parse_image_sources(const YamlField& field);

}  // namespace weir::manifests
