#include "images/formats/qcow2.h"

#include <algorithm>
#include <map>

#include "images/formats/byte_order.h"

namespace weir::images {
namespace {

using Buffer = std::vector<std::uint8_t>;

constexpr std::uint64_t kClusterBits = 16, kCluster = 1ULL << kClusterBits;
constexpr std::uint64_t kPerTable = kCluster / 8;   // pointers in a cluster
constexpr std::uint64_t kPerCounts = kCluster / 2;  // 16-bit counts in a cluster
constexpr std::uint64_t kOnlyUser = 1ULL << 63;     // the pointed-to cluster is used once
constexpr std::uint64_t kLargest = 1ULL << 40;

// What the disk's clusters hold, without those that are zero.
std::map<std::uint64_t, Buffer> clusters_of(const SparseFile& disk) {
  std::map<std::uint64_t, Buffer> out;
  for (const Extent& extent : disk.extents) {
    const Buffer& bytes = *extent.bytes;
    for (std::size_t done = 0; done < bytes.size();) {
      const std::uint64_t at = extent.offset + done;
      const std::size_t size = std::min<std::size_t>(kCluster - at % kCluster, bytes.size() - done);
      const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(done);
      const auto last = first + static_cast<std::ptrdiff_t>(size);
      if (std::any_of(first, last, [](std::uint8_t byte) { return byte != 0; })) {
        Buffer& cluster = out[at / kCluster];
        cluster.resize(kCluster);
        std::copy(first, last, cluster.begin() + static_cast<std::ptrdiff_t>(at % kCluster));
      }
      done += size;
    }
  }
  return out;
}

Buffer header_of(ByteCount size, std::uint64_t tables, std::uint64_t table, std::uint64_t counts) {
  Buffer out(kCluster);
  put_big(out, 0, std::uint32_t{0x514649fb});  // "QFI\xfb"
  put_big(out, 4, std::uint32_t{3});
  put_big(out, 20, static_cast<std::uint32_t>(kClusterBits));
  put_big(out, 24, size.value);
  put_big(out, 36, static_cast<std::uint32_t>(tables));
  put_big(out, 40, table * kCluster);
  put_big(out, 48, counts * kCluster);
  put_big(out, 56, std::uint32_t{1});  // clusters of the table of counts
  put_big(out, 96, std::uint32_t{4});  // counts of 1 << 4 bits
  put_big(out, 100, std::uint32_t{104});
  return out;
}

}  // namespace

Result<SparseFile> encode_qcow2(const SparseFile& disk) {
  if (disk.size.value % 512 != 0 || disk.size.value > kLargest) {
    return fail(Errc::invalid_input, "qcow2: a disk of " + print(disk.size) + " cannot be held");
  }
  auto data = clusters_of(disk);
  const std::uint64_t guest = round_up(disk.size.value, kCluster) / kCluster;
  const std::uint64_t tables = round_up(guest, kPerTable) / kPerTable;
  // Header, table of counts, counts, first table, second tables, data; one cluster holds the first
  // table of 4 TiB, and one more cluster of counts counts 2 GiB of file, itself included.
  const std::uint64_t rest = 3 + tables + data.size();
  std::uint64_t counts = 1;
  while (counts * kPerCounts < rest + counts) ++counts;
  const std::uint64_t count_table = 1, first_count = 2, table = first_count + counts;
  const std::uint64_t first_second = table + 1, first_data = first_second + tables;
  const std::uint64_t all = first_data + data.size();

  SparseFile out{ByteCount{all * kCluster}, {}};
  const auto put = [&out](std::uint64_t cluster, Buffer bytes) {
    out.extents.push_back({cluster * kCluster, std::make_shared<const Buffer>(std::move(bytes))});
  };
  put(0, header_of(disk.size, tables, table, count_table));
  Buffer table_of_counts(kCluster);
  for (std::uint64_t i = 0; i < counts; ++i) {
    put_big(table_of_counts, i * 8, (first_count + i) * kCluster);
  }
  put(count_table, std::move(table_of_counts));
  for (std::uint64_t i = 0; i < counts; ++i) {
    Buffer block(kCluster);
    for (std::uint64_t c = i * kPerCounts; c < std::min(all, (i + 1) * kPerCounts); ++c) {
      put_big(block, (c % kPerCounts) * 2, std::uint16_t{1});
    }
    put(first_count + i, std::move(block));
  }
  Buffer first_table(kCluster);
  for (std::uint64_t i = 0; i < tables; ++i) {
    put_big(first_table, i * 8, ((first_second + i) * kCluster) | kOnlyUser);
  }
  put(table, std::move(first_table));
  std::vector<Buffer> second(tables, Buffer(kCluster));
  std::uint64_t next = first_data;
  for (const auto& [at, bytes] : data) {
    put_big(second[at / kPerTable], (at % kPerTable) * 8, (next++ * kCluster) | kOnlyUser);
  }
  for (std::uint64_t i = 0; i < tables; ++i) put(first_second + i, std::move(second[i]));
  next = first_data;
  for (auto& [at, bytes] : data) put(next++, std::move(bytes));
  return out;
}

}  // namespace weir::images
