#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string>

#include "manifests/base/result.h"

// For the .cpp files that read archives, never for headers.
namespace weir::images {

struct FreeArchive {
  void operator()(struct archive* handle) const { archive_read_free(handle); }
};
using ArchiveReader = std::unique_ptr<struct archive, FreeArchive>;

[[nodiscard]] inline std::string archive_message(struct archive* handle) {
  const char* text = archive_error_string(handle);
  return text != nullptr ? text : "damaged";
}

}  // namespace weir::images
