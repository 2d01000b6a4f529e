#pragma once

#include <string>
#include <string_view>

#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Unpacks an index that was compressed with gzip, bzip2, xz, lzma, zstd or lz4, in one stream or
/// several.
///
/// limit   what it may unpack to
/// errors  integrity: damaged or cut off, or none of these; exhausted: more than `limit`
[[nodiscard]] Result<std::string> unpack_index(std::string_view packed, ByteCount limit);

/// SHA-512 as 128 lower-case hex digits.
[[nodiscard]] std::string sha512_of(std::string_view bytes);

}  // namespace weir::builder
