#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "images/formats/extent.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::images {

/// A GUID as a disk holds it: the first three fields least significant byte first.
using Guid = std::array<std::uint8_t, 16>;

/// C12A7328-F81F-11D2-BA4B-00A0C93EC93B (UEFI 2.10, table 5.7).
inline constexpr Guid kEfiSystemPartition = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                             0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};

/// A GUID that follows from `digest` and `purpose` alone (RFC 9562, version 8).
[[nodiscard]] Guid derive_guid(const Digest& digest, std::string_view purpose);

struct Partition {
  Guid type{};
  Guid id{};
  std::uint64_t first_sector = 0;
  std::uint64_t sectors = 0;
  std::string name;  ///< ASCII, at most 36 characters
};

inline constexpr std::uint64_t kSector = 512;
/// What both tables take: the first and the last sectors of a disk.
inline constexpr std::uint64_t kGptHeadSectors = 34, kGptTailSectors = 33;

/// The partition tables of a disk with sectors of 512 bytes: a protective MBR, the table and its
/// copy at the end. The partitions' content is not in it.
///
/// size     of the disk, a multiple of 512
/// errors   invalid_input, naming the partition: it overlaps another or a table, has no sectors or
///          an unusable name; more than 128 partitions
/// source   UEFI 2.10, chapter 5
[[nodiscard]] Result<SparseFile> encode_gpt(ByteCount size, const Guid& disk,
                                            const std::vector<Partition>& partitions);

}  // namespace weir::images
