#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

struct ElfSymbol {
  std::string_view name;      ///< a view into the file
  std::uint64_t value = 0;    ///< in relocatable files the offset in its section
  std::uint16_t section = 0;  ///< index; SHN_UNDEF (0), SHN_ABS (0xfff1)
  bool global = false, weak = false;
};

/// The symbol table (.symtab) of a file, without the entry that every table begins with; empty
/// where the file has none.
/// errors: invalid_input: a table leaves the file, or a name leaves its table
/// source: System V ABI, chapter 4, "Symbol Table"
[[nodiscard]] Result<std::vector<ElfSymbol>> elf_symbols(Bytes bytes);

/// The bytes of a section by its index. errors: invalid_input
[[nodiscard]] Result<Bytes> elf_section_of(Bytes bytes, std::uint16_t index);

}  // namespace weir::images
