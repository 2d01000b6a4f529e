#include "images/decompress.h"

#include "images/archive.h"

namespace weir::images {

Result<std::vector<std::uint8_t>> decompress(Bytes bytes, ByteCount limit) {
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
  std::vector<std::uint8_t> out;
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

}  // namespace weir::images
