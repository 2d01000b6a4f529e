#include "images/formats/decompress.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "images/formats/archive.h"
#include "manifests/base/size_limits.h"

namespace weir::images {
namespace {

using Buffer = std::vector<std::uint8_t>;

// RFC 8878, section 3.1.1.
constexpr std::array<std::uint8_t, 4> kZstdMagic = {0x28, 0xb5, 0x2f, 0xfd};
// RFC 8878, section 3.1.1.2: four bytes make at most a block of 128 KiB.
constexpr std::uint64_t kZstdLargestRatio = (128U << 10) / 4;
constexpr std::size_t kPiece = 1U << 20;

bool is_zstd(Bytes bytes) {
  return bytes.size() >= kZstdMagic.size() &&
         std::equal(kZstdMagic.begin(), kZstdMagic.end(), bytes.begin());
}

Result<Buffer> unpack(Bytes bytes, ByteCount limit, std::size_t expected) {
  const ArchiveReader reader(archive_read_new());
  if (!reader) return no_memory();
  archive_read_support_format_raw(reader.get());
  archive_read_support_format_empty(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_lzma(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_filter_lz4(reader.get());
  struct archive_entry* entry = nullptr;
  const bool open =
      archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) == ARCHIVE_OK;
  const int header = open ? archive_read_next_header(reader.get(), &entry) : ARCHIVE_FATAL;
  // Nothing, packed.
  if (header == ARCHIVE_EOF && archive_filter_count(reader.get()) >= 2) return Buffer();
  if (header != ARCHIVE_OK || archive_filter_count(reader.get()) < 2) {
    const auto failed = archive_failed(reader.get(), "compressed stream");
    const bool known = archive_filter_count(reader.get()) >= 2;
    if (known || failed.value().code == Errc::exhausted) return failed;
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
      return archive_failed(reader.get(), "compressed stream");
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

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// All frames, as ZSTD_decompress does it; but that wants the room for what is stated, and a
// vector's room is memory that was written to.
Result<Buffer> unzstd_exactly(Bytes bytes, ByteCount size) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context) return no_memory();
  // A byte more than stated shows that there is more.
  const std::size_t most = size.value + 1;
  Buffer out;
  // What is stated and does not come costs address space, not memory.
  out.reserve(std::min<std::size_t>(most, manifests::kLargestBlob.value));
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    const std::size_t filled = out.size();
    out.resize(std::min(most, filled + kPiece));
    ZSTD_outBuffer room{out.data(), out.size(), filled};
    const std::size_t left = ZSTD_decompressStream(context.get(), &room, &in);
    if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) return no_memory();
    if (ZSTD_isError(left) != 0) {
      return fail(Errc::invalid_input,
                  std::string("compressed stream: ") + ZSTD_getErrorName(left));
    }
    out.resize(room.pos);
    if (out.size() == most) return other_size(size);
    if (in.pos < in.size || (left != 0 && room.pos == room.size)) continue;
    if (left != 0) return fail(Errc::invalid_input, "compressed stream: it is cut");
    if (out.size() != size.value) return other_size(size);
    return out;
  }
}

}  // namespace

Result<Buffer> decompress(Bytes bytes, ByteCount limit) {
  return unpack(bytes, limit, 0);
}

Result<Buffer> decompress_exactly(Bytes bytes, ByteCount size) {
  if (!is_zstd(bytes)) {
    auto out = unpack(bytes, size, std::min<std::size_t>(size.value, 64U << 20));
    if (!out && out.error().sys == ENOMEM) return out;
    if (out ? out->size() != size.value : out.error().code == Errc::exhausted) {
      return other_size(size);
    }
    return out;
  }
  if (size.value / kZstdLargestRatio > bytes.size()) return other_size(size);
  return unzstd_exactly(bytes, size);
}

}  // namespace weir::images
