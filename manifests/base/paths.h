#pragma once

#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir {

/// The folder that a path lies in; "." where it names none.
[[nodiscard]] std::string folder_of(const std::string& path);

/// A path that starts at `folder`, unless it is absolute.
[[nodiscard]] std::string path_at(const std::string& folder, const std::string& path);

/// A path as a document names one: not empty, printable, at most 4095 bytes, and not beginning with
/// `~`, which only shells understand. errors: invalid_input
/// source   linux/limits.h, PATH_MAX
[[nodiscard]] Result<std::string> parse_path(std::string_view text);

/// The name of a network interface that rules and commands can name as it is: 1 to 15 of letters,
/// digits and `._-+@`, not `.` or `..`. errors: invalid_input
/// source   linux/if.h, IFNAMSIZ; dev_valid_name() in net/core/dev.c; what is left out has a
/// meaning
///          of its own for nft (quotes, `*`) or for the kernel (`%`)
[[nodiscard]] Result<std::string> parse_interface_name(std::string_view text);

/// The name of a network namespace, a file in /run/netns: no `/`, not `.` or `..`, at most 255
/// bytes, printable. errors: invalid_input
[[nodiscard]] Result<std::string> parse_namespace_name(std::string_view text);

}  // namespace weir
