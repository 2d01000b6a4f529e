#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// An entry of apt's sources that is enabled and of packages (type deb).
struct AptSource {
  std::vector<std::string> uris, suites, components;
  std::vector<std::string> architectures;  ///< empty: all that the machine has
  std::vector<std::string> keyrings;       ///< of Signed-By: paths, and fingerprints
  std::string key_block;                   ///< of Signed-By: the keys themselves
  bool operator==(const AptSource&) const = default;
};

enum class AptFormat : std::uint8_t { one_line, deb822 };

/// Reads a file of apt's sources.
///
/// architecture  what $(ARCH) stands for
/// errors        invalid_input, naming entry or line: what apt refuses too
/// source        sources.list(5)
[[nodiscard]] Result<std::vector<AptSource>> parse_apt_sources(std::string_view text,
                                                               AptFormat format,
                                                               std::string_view architecture);

/// By the name's end: "x.sources" is deb822, anything else one line an entry.
[[nodiscard]] AptFormat apt_format_of(std::string_view path);

}  // namespace weir::builder
