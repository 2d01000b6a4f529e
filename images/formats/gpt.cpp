#include "images/formats/gpt.h"

#include <algorithm>

#include "images/formats/byte_order.h"
#include "images/formats/crc32.h"

namespace weir::images {
namespace {

constexpr std::size_t kEntries = 128, kPartition = 128, kTableHeader = 92;
constexpr std::size_t kNameAt = 56, kNameLength = 36;

using Buffer = std::vector<std::uint8_t>;

void put_guid(Buffer& out, std::size_t at, const Guid& guid) {
  std::copy(guid.begin(), guid.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
}

Status check(ByteCount size, const std::vector<Partition>& partitions) {
  const std::uint64_t sectors = size.value / kSector;
  if (size.value % kSector != 0 || sectors <= kGptHeadSectors + kGptTailSectors) {
    return fail(Errc::invalid_input, "disk: too small, or no whole number of sectors");
  }
  if (partitions.size() > kEntries) return fail(Errc::invalid_input, "more than 128 partitions");
  std::vector<const Partition*> sorted;
  sorted.reserve(partitions.size());
  for (const Partition& partition : partitions) sorted.push_back(&partition);
  std::sort(sorted.begin(), sorted.end(), [](const Partition* a, const Partition* b) {
    return a->first_sector < b->first_sector;
  });
  std::uint64_t free = kGptHeadSectors;
  for (const Partition* partition : sorted) {
    const auto refuse = [&](const char* why) {
      return fail(Errc::invalid_input, "partition '" + partition->name + "': " + why);
    };
    const bool printable = std::all_of(partition->name.begin(), partition->name.end(),
                                       [](char c) { return c >= 0x20 && c < 0x7f; });
    if (partition->name.size() > kNameLength || !printable) {
      return refuse("its name must have at most 36 characters of ASCII");
    }
    if (partition->sectors == 0) return refuse("has no sectors");
    if (partition->first_sector < free) return refuse("overlaps what lies before it");
    if (partition->sectors > sectors ||
        partition->first_sector > sectors - kGptTailSectors - partition->sectors) {
      return refuse("reaches over the end of the disk");
    }
    free = partition->first_sector + partition->sectors;
  }
  return {};
}

Buffer entries_of(const std::vector<Partition>& partitions) {
  Buffer out(kEntries * kPartition);
  std::size_t at = 0;
  for (const Partition& partition : partitions) {
    put_guid(out, at, partition.type);
    put_guid(out, at + 16, partition.id);
    put_little(out, at + 32, partition.first_sector);
    put_little(out, at + 40, partition.first_sector + partition.sectors - 1);
    for (std::size_t i = 0; i < partition.name.size(); ++i) {
      put_little(out, at + kNameAt + 2 * i, static_cast<std::uint16_t>(partition.name[i]));
    }
    at += kPartition;
  }
  return out;
}

Buffer header_of(const Guid& disk, std::uint64_t sectors, const Buffer& entries, bool backup) {
  constexpr std::string_view kSignature = "EFI PART";
  Buffer out(kSector);
  const std::uint64_t first = 1, last = sectors - 1;
  std::copy(kSignature.begin(), kSignature.end(), out.begin());
  put_little(out, 8, std::uint32_t{0x00010000});
  put_little(out, 12, std::uint32_t{kTableHeader});
  put_little(out, 24, backup ? last : first);
  put_little(out, 32, backup ? first : last);
  put_little(out, 40, kGptHeadSectors);
  put_little(out, 48, sectors - kGptTailSectors - 1);
  put_guid(out, 56, disk);
  put_little(out, 72, backup ? sectors - kGptTailSectors : 2);
  put_little(out, 80, std::uint32_t{kEntries});
  put_little(out, 84, std::uint32_t{kPartition});
  put_little(out, 88, crc32(entries));
  put_little(out, 16, crc32(Bytes(out).first(kTableHeader)));
  return out;
}

// One partition over the whole disk, so that older tools take it for full.
Buffer protective_mbr(std::uint64_t sectors) {
  Buffer out(kSector);
  constexpr std::size_t kFirst = 446;
  out[kFirst + 2] = 0x02;  // starts at sector 1: head 0, sector 2 as geometry counts
  out[kFirst + 4] = 0xee;
  std::fill_n(out.begin() + kFirst + 5, 3, std::uint8_t{0xff});
  put_little(out, kFirst + 8, std::uint32_t{1});
  put_little(out, kFirst + 12,
             static_cast<std::uint32_t>(std::min<std::uint64_t>(sectors - 1, 0xffffffff)));
  out[510] = 0x55;
  out[511] = 0xaa;
  return out;
}

Content joined(const std::vector<Buffer>& parts) {
  Buffer out;
  for (const Buffer& part : parts) out.insert(out.end(), part.begin(), part.end());
  return std::make_shared<const Buffer>(std::move(out));
}

}  // namespace

Guid derive_guid(const Digest& digest, std::string_view purpose) {
  Sha256 hash;
  hash.update(as_bytes(purpose));
  hash.update(digest.raw());
  const Digest derived = std::move(hash).finish();
  Guid out{};
  std::copy_n(derived.raw().begin(), out.size(), out.begin());
  out[7] = static_cast<std::uint8_t>((out[7] & 0x0f) | 0x80);
  out[8] = static_cast<std::uint8_t>((out[8] & 0x3f) | 0x80);
  return out;
}

Result<SparseFile> encode_gpt(ByteCount size, const Guid& disk,
                              const std::vector<Partition>& partitions) {
  TRY(check(size, partitions));
  const std::uint64_t sectors = size.value / kSector;
  const Buffer entries = entries_of(partitions);
  SparseFile out{size, {}};
  out.extents.push_back(
      {0, joined({protective_mbr(sectors), header_of(disk, sectors, entries, false), entries})});
  out.extents.push_back({(sectors - kGptTailSectors) * kSector,
                         joined({entries, header_of(disk, sectors, entries, true)})});
  return out;
}

}  // namespace weir::images
