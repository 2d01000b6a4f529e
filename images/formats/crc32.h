#pragma once

#include <cstdint>

#include "manifests/base/digest.h"

namespace weir::images {

/// CRC-32 as GPT, gzip and Ethernet use it (ISO 3309; polynomial 0x04c11db7, reflected).
[[nodiscard]] std::uint32_t crc32(Bytes bytes);

}  // namespace weir::images
