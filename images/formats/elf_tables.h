#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

/// How ELF decoders read: never beyond the file, and never by a size that the file states before it
/// was held against the file's own. For the .cpp files of this room.
namespace weir::images::elf_tables {

[[nodiscard]] inline tl::unexpected<Error> refuse(std::string_view why) {
  return fail(Errc::invalid_input, "ELF: " + std::string(why));
}

/// errors: invalid_input: the piece leaves the file
[[nodiscard]] inline Result<Bytes> slice(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    return refuse("a table leaves the file");
  return bytes.subspan(offset, size);
}

template <class T>
[[nodiscard]] Result<T> read(Bytes bytes, std::uint64_t offset) {
  TRY_ASSIGN(const Bytes found, slice(bytes, offset, sizeof(T)));
  T out;
  std::memcpy(&out, found.data(), sizeof out);
  return out;
}

/// `count` times sizeof(T) must not overflow.
template <class T>
[[nodiscard]] Result<std::vector<T>> read_table(Bytes bytes, std::uint64_t offset,
                                                std::size_t count) {
  // First whether the file holds it: what it states may be any size.
  TRY_ASSIGN(const Bytes found, slice(bytes, offset, count * sizeof(T)));
  std::vector<T> out(count);
  if (count > 0) std::memcpy(out.data(), found.data(), found.size());
  return out;
}

/// A string that ends within its table; a view into it.
[[nodiscard]] Result<std::string_view> text_at(Bytes table, std::uint64_t offset);

/// The header of a file of 64 bits, little endian. errors: invalid_input
[[nodiscard]] Result<Elf64_Ehdr> header_of(Bytes bytes);

/// Empty where the file has no section headers.
[[nodiscard]] Result<std::vector<Elf64_Shdr>> sections_of(Bytes bytes, const Elf64_Ehdr& header);

}  // namespace weir::images::elf_tables
