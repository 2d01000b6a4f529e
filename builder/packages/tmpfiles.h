#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

enum class TmpfilesKind : std::uint8_t {
  folder,  ///< d D v q Q: made, or adjusted where it stands
  adjust,  ///< e z: adjusted where it stands
  file,    ///< f F: made, or its mode adjusted
  link,    ///< L: made where nothing stands
  leave,   ///< x X r R: a new image has nothing to clean up
  other,   ///< what a file tree cannot hold, or what replaces what a package brings
};

/// One line of a file of tmpfiles.d.
struct TmpfilesLine {
  TmpfilesKind kind{};
  std::string type;                   ///< as written, "d!"
  std::string path;                   ///< absolute, specifiers expanded
  std::optional<std::uint32_t> mode;  ///< none: the kind's own, or as it is
  bool mode_when_new = false;         ///< written ":0750": what stands keeps its mode
  std::string user, group;            ///< names or numbers; empty: root, or as it is
  bool owner_when_new = false;        ///< either was written ":name"
  std::string argument;               ///< content of a file, target of a link
  bool operator==(const TmpfilesLine&) const = default;
};

/// Reads one line. returns nothing for an empty one and for a comment
///
/// Specifiers that are the same in every boot are expanded: %C %g %G %h %L %S %t %T %u %U %V %%.
/// errors   invalid_input: a line that systemd-tmpfiles refuses too, or a specifier that only a
///          running system knows
/// source   tmpfiles.d(5) of systemd 252, and what systemd-tmpfiles --root made of the same lines
[[nodiscard]] Result<std::optional<TmpfilesLine>> parse_tmpfiles_line(std::string_view line);

}  // namespace weir::builder
