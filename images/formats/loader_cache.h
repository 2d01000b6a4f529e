#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::images {

/// A library that the C library's loader finds by its name.
struct CachedLibrary {
  std::string name;  ///< "libz.so.1"
  std::string path;  ///< "/lib/x86_64-linux-gnu/libz.so.1"
  bool operator==(const CachedLibrary&) const = default;
};

/// As the loader orders names of libraries: numbers in them by their value.
/// returns below 0, 0 or above 0, as strcmp
[[nodiscard]] int compare_library_names(std::string_view a, std::string_view b);

/// The file /etc/ld.so.cache, little endian, byte for byte as `ldconfig` writes it.
///
/// libraries  of two of one name the first one counts
/// kind       what the loader of an architecture looks for (`Architecture::loader_kind`)
/// generator  who made it, as `ldconfig -p` shows it
/// source     the format "glibc-ld.so.cache1.1" as ldconfig of glibc 2.36 writes it
[[nodiscard]] std::string encode_loader_cache(std::vector<CachedLibrary> libraries,
                                              std::int32_t kind, std::string_view generator);

}  // namespace weir::images
