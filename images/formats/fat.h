#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "images/formats/extent.h"
#include "manifests/base/result.h"

namespace weir::images {

struct FatFile {
  std::string path;  ///< "EFI/BOOT/BOOTX64.EFI": names of 8.3 in capitals; its folders are made
  Content content;
};

struct FatVolume {
  ByteCount size;
  std::string label;                 ///< 1 to 11 of [A-Z0-9_-]
  std::uint32_t serial = 0;          ///< the volume's id
  std::int64_t time = 0;             ///< Unix seconds, UTC; of every entry, 1980 to 2107
  std::uint32_t sectors_before = 0;  ///< where on its disk the volume begins
};

/// A FAT32 file system with sectors of 512 bytes, written from nothing: the files in the order
/// given, each in one piece. Same input, same bytes.
///
/// errors   invalid_input: a size outside 33 MiB to 32 GiB, a label or path it cannot have, a path
///          twice; exhausted: the files do not fit
/// source   Microsoft, FAT32 File System Specification 1.03; UEFI 2.10, section 13.3
[[nodiscard]] Result<SparseFile> encode_fat32(const FatVolume& volume,
                                              const std::vector<FatFile>& files);

}  // namespace weir::images
