#pragma once

#include <cstdint>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::images {

/// Unpacks a gzip, bzip2, xz, lzma, zstd or lz4 stream, recognised by its first bytes.
/// errors: invalid_input: none of these, or damaged; exhausted: it would exceed `limit`, or, with
/// ENOMEM, there is not enough memory
[[nodiscard]] Result<std::vector<std::uint8_t>> decompress(Bytes bytes, ByteCount limit);

/// The same where the unpacked size is stated: in memory of what is unpacked, at most of that size,
/// however much is stated. errors: also invalid_input: it unpacks to another size
[[nodiscard]] Result<std::vector<std::uint8_t>> decompress_exactly(Bytes bytes, ByteCount size);

}  // namespace weir::images
