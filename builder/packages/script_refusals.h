#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::builder {

/// A way on which a maintainer script ends with an error, so that dpkg would not install its
/// package.
struct ScriptRefusal {
  bool certain = false;  ///< in every new system; else something that is not known here decides
  std::string command;   ///< that ends it: "exit 1", "false"
  std::string said{};    ///< what was printed last before; may be empty
  bool operator==(const ScriptRefusal&) const = default;
};

/// The ways on which a script refuses a package that was never installed before: what it does with
/// dpkg's arguments for that ("install", or "configure" and no older version) is followed, all else
/// that it tests may turn out either way. A program that has something to do is taken to succeed;
/// one that only answers a question (`test`, grep, `command -v`) may say no.
///
/// name     "preinst" or "postinst"
/// returns  the certain one alone, where there is one; at most one for each command
/// source   POSIX.1-2017, Shell Command Language; Debian policy 6.5
[[nodiscard]] std::vector<ScriptRefusal> refusals_of(std::string_view script,
                                                     std::string_view name);

/// "refuses to be installed: exit 1, saying 'not here'".
[[nodiscard]] std::string print(const ScriptRefusal& refusal);

}  // namespace weir::builder
