#include "images/boot/boot_disk.h"

#include <algorithm>

#include "images/formats/byte_order.h"
#include "images/formats/fat.h"
#include "images/formats/gpt.h"

namespace weir::images {
namespace {

constexpr std::uint64_t kMebibyte = 1ULL << 20;
// Partitions begin and end on these, as every partitioning tool expects.
constexpr std::uint64_t kBefore = kMebibyte, kAfter = kMebibyte;
// The least that is safely FAT32, and what the tables and folders of a larger one take.
constexpr std::uint64_t kLeast = 64 * kMebibyte, kOverhead = 8 * kMebibyte;

}  // namespace

Result<SparseFile> make_boot_disk(const Content& uki, std::string_view program,
                                  const Digest& release, std::int64_t epoch) {
  const std::uint64_t volume_size = std::max(kLeast, round_up(uki->size() + kOverhead, kMebibyte));
  const Guid serial = derive_guid(release, "weir: file system");
  const FatVolume volume{ByteCount{volume_size}, "WEIR", get_little<std::uint32_t>(serial, 0),
                         epoch, static_cast<std::uint32_t>(kBefore / kSector)};
  TRY_ASSIGN_IN(const SparseFile system,
                encode_fat32(volume, {{"EFI/BOOT/" + std::string(program), uki}}),
                "EFI system partition");
  const Partition partition{kEfiSystemPartition, derive_guid(release, "weir: partition"),
                            kBefore / kSector, volume_size / kSector, "EFI system partition"};
  TRY_ASSIGN(SparseFile out, encode_gpt(ByteCount{kBefore + volume_size + kAfter},
                                        derive_guid(release, "weir: disk"), {partition}));
  const Extent backup = out.extents.back();
  out.extents.pop_back();
  for (const Extent& extent : system.extents) {
    out.extents.push_back({kBefore + extent.offset, extent.bytes});
  }
  out.extents.push_back(backup);
  return out;
}

}  // namespace weir::images
