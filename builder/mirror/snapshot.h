#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"

namespace weir::builder {

/// Whether a snapshot service's scheme can be read: a URL (http, https, file or copy) with "{time}"
/// in it, and perhaps "{archive}". errors: invalid_input
[[nodiscard]] Status check_snapshot(std::string_view scheme);

/// Where a snapshot service has the files of an index, in the order in which to ask.
///
/// scheme   "https://snapshot.example/archive/{archive}/{time}"; {time} is UTC as
///          YYYYMMDDTHHMMSSZ, for which a service gives what an archive had then
/// archive  what {archive} stands for, the name that the archive's own address ends with: "debian"
/// date     of the index, Unix seconds. An archive dates it hours before everybody has it, and what
///          it names stays there for a day at least, so later times come before its own
/// errors   as check_snapshot; not_found: {archive}, and nobody knows it
[[nodiscard]] Result<std::vector<std::string>> snapshot_addresses(std::string_view scheme,
                                                                  std::string_view archive,
                                                                  std::int64_t date);

}  // namespace weir::builder
