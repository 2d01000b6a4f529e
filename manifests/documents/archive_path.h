#pragma once

#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::manifests {

/// Whether a text is a file's path below an archive's base as documents have it: segments between
/// single slashes, none of them "." or "..", of letters, digits and -._+~%:@=,!() only; at most
/// 1024 bytes.
[[nodiscard]] bool is_archive_path(std::string_view path);

/// The same file's path in that form, of a Filename as archives write them: "./pool//a.deb" and
/// "/pool/a.deb" are "pool/a.deb". errors: invalid_input: it climbs, or has another character
[[nodiscard]] Result<std::string> parse_archive_path(std::string_view text);

}  // namespace weir::manifests
