#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>

#include "images/formats/no_memory.h"
#include "manifests/base/result.h"

// For the .cpp files that read archives, never for headers.
namespace weir::images {

struct FreeArchive {
  void operator()(struct archive* handle) const { archive_read_free(handle); }
};
using ArchiveReader = std::unique_ptr<struct archive, FreeArchive>;

/// Whether the most that bzip2 takes can be had: 100 kB and four times its block (bzip2(1), MEMORY
/// MANAGEMENT). zlib takes less.
[[nodiscard]] inline bool has_room_for_bzip2() {
  void* volatile room = std::malloc(100'000 + 4 * 900'000);
  std::free(room);
  return room != nullptr;
}

/// Why a reader stopped. Memory is told from damage, for which libarchive 3.6 has no one sign:
/// ENOMEM stands for what the system refuses and for liblzma's limit, zstd says it in words, and
/// "decompression failed" is all that is said of bzip2 and zlib, of damage too.
///
/// what  goes before the reader's own words
[[nodiscard]] inline tl::unexpected<Error> archive_failed(struct archive* handle,
                                                          const std::string& what) {
  const char* words = archive_error_string(handle);
  const std::string why = words != nullptr ? words : "damaged";
  if (why == "Lzma library error: Out of memory") {
    return fail(Errc::exhausted, what + ": needs more memory than it may have");
  }
  const bool unclear = why.ends_with("zip decompression failed");
  if (archive_errno(handle) == ENOMEM || why.ends_with("not enough memory") ||
      (unclear && !has_room_for_bzip2())) {
    return no_memory();
  }
  return fail(Errc::invalid_input, what + ": " + why);
}

}  // namespace weir::images
