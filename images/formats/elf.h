#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

enum class ElfKind : std::uint8_t { relocatable, program, shared, core };

/// What an image needs to know of an ELF file (64 bits, little endian).
struct Elf {
  ElfKind kind{};
  std::uint16_t machine = 0;  ///< 62: x86-64 (EM_X86_64), 183: ARM64 (EM_AARCH64)
  std::string interpreter;    ///< PT_INTERP, empty where there is none
  std::string soname;
  std::vector<std::string> needed;  ///< DT_NEEDED, in order
  std::string run_path;             ///< DT_RUNPATH, else DT_RPATH; colons between folders
  std::string build_id;             ///< GNU build id as hex, empty where there is none
  /// Versions of symbols that it asks of a library, by the library's name (DT_VERNEED); those it
  /// can do without stay out.
  std::map<std::string, std::set<std::string>> version_needs{};
  std::set<std::string> versions{};  ///< that it defines (DT_VERDEF), without its own name
};

/// Whether the bytes begin like an ELF file.
[[nodiscard]] bool is_elf(Bytes bytes);

/// errors: invalid_input: not ELF, another class or byte order, or a table that leaves the file
/// source: System V ABI, chapters 4 and 5; elf(5); Linux Standard Base, "Symbol Versioning"
[[nodiscard]] Result<Elf> parse_elf(Bytes bytes);

struct ElfSection {
  Bytes bytes;                ///< empty where it takes no room in the file (SHT_NOBITS)
  std::uint64_t address = 0;  ///< where it lies in memory; 0 in relocatable files
};

/// A section by name, of any ELF file that has section headers.
/// errors: invalid_input; not_found
[[nodiscard]] Result<ElfSection> elf_section_at(Bytes bytes, std::string_view name);

/// A section's bytes by name, of any ELF file that has section headers.
/// errors: invalid_input; not_found
[[nodiscard]] Result<Bytes> elf_section(Bytes bytes, std::string_view name);

/// The GNU build id in a run of ELF notes. errors: not_found
[[nodiscard]] Result<std::string> build_id_in(Bytes notes);

}  // namespace weir::images
