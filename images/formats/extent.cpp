#include "images/formats/extent.h"

#include <algorithm>

namespace weir::images {

std::vector<std::uint8_t> flatten(const SparseFile& file) {
  std::vector<std::uint8_t> out(file.size.value);
  for (const Extent& extent : file.extents) {
    std::copy(extent.bytes->begin(), extent.bytes->end(),
              out.begin() + static_cast<std::ptrdiff_t>(extent.offset));
  }
  return out;
}

Digest digest_of(const SparseFile& file) {
  const std::vector<std::uint8_t> zeros(std::size_t{64} << 10);
  Sha256 hash;
  std::uint64_t at = 0;
  const auto skip_to = [&](std::uint64_t end) {
    while (at < end) {
      const auto size = std::min<std::uint64_t>(end - at, zeros.size());
      hash.update(Bytes(zeros).first(size));
      at += size;
    }
  };
  for (const Extent& extent : file.extents) {
    skip_to(extent.offset);
    hash.update(*extent.bytes);
    at += extent.bytes->size();
  }
  skip_to(file.size.value);
  return std::move(hash).finish();
}

}  // namespace weir::images
