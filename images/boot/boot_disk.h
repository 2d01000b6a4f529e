#pragma once

#include <string_view>

#include "images/formats/extent.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// A disk that UEFI firmware boots: GPT, and an EFI system partition of FAT32 that holds `uki` as
/// EFI/BOOT/`program`. Identifiers and serial numbers follow from `release`, times are `epoch`.
///
/// program  `Architecture::efi_program`
/// epoch    Unix seconds
/// errors   as encode_fat32 and encode_gpt
[[nodiscard]] Result<SparseFile> make_boot_disk(const Content& uki, std::string_view program,
                                                const Digest& release, std::int64_t epoch);

}  // namespace weir::images
