#include "images/decompress.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <string>

#include "images/archive.h"

namespace weir::images {
namespace {

using Buffer = std::vector<std::uint8_t>;

// RFC 8878, section 3.1.1.
constexpr std::array<std::uint8_t, 4> kZstdMagic = {0x28, 0xb5, 0x2f, 0xfd};
// RFC 8878, section 3.1.1.2: four bytes make at most a block of 128 KiB.
constexpr std::uint64_t kZstdLargestRatio = (128U << 10) / 4;

bool is_zstd(Bytes bytes) {
  return bytes.size() >= kZstdMagic.size() &&
         std::equal(kZstdMagic.begin(), kZstdMagic.end(), bytes.begin());
}

Result<Buffer> unpack(Bytes bytes, ByteCount limit, std::size_t expected) {
  const ArchiveReader reader(archive_read_new());
  if (!reader) return fail(Errc::exhausted, "no memory");
  archive_read_support_format_raw(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_lzma(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_filter_lz4(reader.get());
  struct archive_entry* entry = nullptr;
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK ||
      archive_filter_count(reader.get()) < 2) {
    return fail(Errc::invalid_input, "not a compressed stream that is known here");
  }
  Buffer out;
  out.reserve(expected);
  for (;;) {
    const void* piece = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader.get(), &piece, &size, &offset);
    if (status == ARCHIVE_EOF) return out;
    if (status != ARCHIVE_OK) {
      return fail(Errc::invalid_input, "compressed stream: " + archive_message(reader.get()));
    }
    if (size > limit.value - out.size()) {
      return fail(Errc::exhausted, "compressed stream unpacks to more than " + print(limit));
    }
    const auto* first = static_cast<const std::uint8_t*>(piece);
    out.insert(out.end(), first, first + size);
  }
}

tl::unexpected<Error> other_size(ByteCount size) {
  return fail(Errc::invalid_input, "compressed stream does not unpack to the " +
                                       std::to_string(size.value) + " bytes that are stated");
}

}  // namespace

Result<Buffer> decompress(Bytes bytes, ByteCount limit) {
  return unpack(bytes, limit, 0);
}

Result<Buffer> decompress_exactly(Bytes bytes, ByteCount size) {
  if (!is_zstd(bytes)) {
    auto out = unpack(bytes, size, std::min<std::size_t>(size.value, 64U << 20));
    if (out ? out->size() != size.value : out.error().code == Errc::exhausted) {
      return other_size(size);
    }
    return out;
  }
  if (size.value / kZstdLargestRatio > bytes.size()) return other_size(size);
  Buffer out(size.value);
  const std::size_t got = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) == 0 && got == out.size()) return out;
  if (ZSTD_isError(got) == 0 || ZSTD_getErrorCode(got) == ZSTD_error_dstSize_tooSmall) {
    return other_size(size);
  }
  return fail(Errc::invalid_input, std::string("compressed stream: ") + ZSTD_getErrorName(got));
}

}  // namespace weir::images
