#include "images/formats/elf.h"

#include <cstring>

#include "images/formats/elf_tables.h"

namespace weir::images {
namespace {

using elf_tables::header_of;
using elf_tables::read;
using elf_tables::read_table;
using elf_tables::refuse;
using elf_tables::sections_of;
using elf_tables::slice;
using elf_tables::text_at;

// Where a virtual address lies in the file.
Result<std::uint64_t> offset_of(const std::vector<Elf64_Phdr>& segments, std::uint64_t address) {
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      return segment.p_offset + (address - segment.p_vaddr);
    }
  }
  return refuse("an address that no segment holds");
}

// Tables of versions are lists: every entry says how far the next one is, and 0 ends them.
constexpr std::size_t kVersions = 1 << 16;

Result<std::uint64_t> next_in(std::uint64_t offset, std::uint32_t step, std::size_t& count) {
  if (++count > kVersions) return refuse("a list of versions does not end");
  return offset + step;
}

Status read_version_needs(Bytes bytes, std::uint64_t offset, Bytes names, Elf& out) {
  std::size_t count = 0;
  for (;;) {
    TRY_ASSIGN(const auto need, read<Elf64_Verneed>(bytes, offset));
    TRY_ASSIGN(const std::string_view library, text_at(names, need.vn_file));
    auto& versions = out.version_needs[std::string(library)];
    for (std::uint64_t at = offset + need.vn_aux; need.vn_cnt > 0;) {
      TRY_ASSIGN(const auto version, read<Elf64_Vernaux>(bytes, at));
      TRY_ASSIGN(const std::string_view name, text_at(names, version.vna_name));
      if ((version.vna_flags & VER_FLG_WEAK) == 0) versions.emplace(name);
      if (version.vna_next == 0) break;
      TRY_ASSIGN(at, next_in(at, version.vna_next, count));
    }
    if (need.vn_next == 0) return {};
    TRY_ASSIGN(offset, next_in(offset, need.vn_next, count));
  }
}

Status read_versions(Bytes bytes, std::uint64_t offset, Bytes names, Elf& out) {
  std::size_t count = 0;
  for (;;) {
    TRY_ASSIGN(const auto version, read<Elf64_Verdef>(bytes, offset));
    if ((version.vd_flags & VER_FLG_BASE) == 0) {
      TRY_ASSIGN(const auto name, read<Elf64_Verdaux>(bytes, offset + version.vd_aux));
      TRY_ASSIGN(const std::string_view text, text_at(names, name.vda_name));
      out.versions.emplace(text);
    }
    if (version.vd_next == 0) return {};
    TRY_ASSIGN(offset, next_in(offset, version.vd_next, count));
  }
}

Status read_dynamic(Bytes bytes, const std::vector<Elf64_Phdr>& segments, const Elf64_Phdr& dynamic,
                    Elf& out) {
  TRY_ASSIGN(const auto entries,
             read_table<Elf64_Dyn>(bytes, dynamic.p_offset, dynamic.p_filesz / sizeof(Elf64_Dyn)));
  std::uint64_t strings = 0, size = 0, soname = 0, rpath = 0, runpath = 0, needs = 0, defines = 0;
  std::vector<std::uint64_t> needed;
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ) size = entry.d_un.d_val;
    if (entry.d_tag == DT_SONAME) soname = entry.d_un.d_val;
    if (entry.d_tag == DT_RPATH) rpath = entry.d_un.d_val;
    if (entry.d_tag == DT_RUNPATH) runpath = entry.d_un.d_val;
    if (entry.d_tag == DT_VERNEED) needs = entry.d_un.d_ptr;
    if (entry.d_tag == DT_VERDEF) defines = entry.d_un.d_ptr;
    if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
  }
  if (strings == 0) return {};
  TRY_ASSIGN(const std::uint64_t offset, offset_of(segments, strings));
  TRY_ASSIGN(const Bytes table, slice(bytes, offset, size));
  for (const std::uint64_t name : needed) {
    TRY_ASSIGN(const std::string_view text, text_at(table, name));
    out.needed.emplace_back(text);
  }
  if (needs != 0) {
    TRY_ASSIGN(const std::uint64_t first, offset_of(segments, needs));
    TRY(read_version_needs(bytes, first, table, out));
  }
  if (defines != 0) {
    TRY_ASSIGN(const std::uint64_t first, offset_of(segments, defines));
    TRY(read_versions(bytes, first, table, out));
  }
  if (soname != 0) {
    TRY_ASSIGN(out.soname, text_at(table, soname));
  }
  if (const std::uint64_t path = runpath != 0 ? runpath : rpath; path != 0) {
    TRY_ASSIGN(out.run_path, text_at(table, path));
  }
  return {};
}

}  // namespace

bool is_elf(Bytes bytes) {
  return bytes.size() >= SELFMAG && std::memcmp(bytes.data(), ELFMAG, SELFMAG) == 0;
}

Result<std::string> build_id_in(Bytes notes) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data(), sizeof note);
    const std::uint64_t name = (std::uint64_t{note.n_namesz} + 3) / 4 * 4;
    const std::uint64_t body = (std::uint64_t{note.n_descsz} + 3) / 4 * 4;
    const std::uint64_t all = sizeof note + name + note.n_descsz;
    if (all > notes.size()) break;
    const Bytes owner = notes.subspan(sizeof note, note.n_namesz);
    if (note.n_type == NT_GNU_BUILD_ID && owner.size() == 4 &&
        std::memcmp(owner.data(), ELF_NOTE_GNU, 4) == 0) {
      return hex_of(notes.subspan(sizeof note + name, note.n_descsz));
    }
    const std::uint64_t step = sizeof note + name + body;
    if (step >= notes.size()) break;
    notes = notes.subspan(step);
  }
  return fail(Errc::not_found, "no GNU build id");
}

Result<Elf> parse_elf(Bytes bytes) {
  TRY_ASSIGN(const Elf64_Ehdr header, header_of(bytes));
  Elf out;
  out.machine = header.e_machine;
  switch (header.e_type) {
    case ET_REL:
      out.kind = ElfKind::relocatable;
      break;
    case ET_EXEC:
      out.kind = ElfKind::program;
      break;
    case ET_DYN:
      out.kind = ElfKind::shared;
      break;
    case ET_CORE:
      out.kind = ElfKind::core;
      break;
    default:
      return refuse("of an unknown type");
  }
  TRY_ASSIGN(const auto segments, read_table<Elf64_Phdr>(bytes, header.e_phoff, header.e_phnum));
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_type == PT_INTERP) {
      TRY_ASSIGN(const Bytes path, slice(bytes, segment.p_offset, segment.p_filesz));
      TRY_ASSIGN(out.interpreter, text_at(path, 0));
    } else if (segment.p_type == PT_DYNAMIC) {
      TRY(read_dynamic(bytes, segments, segment, out));
    } else if (segment.p_type == PT_NOTE && out.build_id.empty()) {
      TRY_ASSIGN(const Bytes notes, slice(bytes, segment.p_offset, segment.p_filesz));
      out.build_id = build_id_in(notes).value_or("");
    }
  }
  TRY_ASSIGN(const auto sections, sections_of(bytes, header));
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_NOTE || !out.build_id.empty()) continue;
    TRY_ASSIGN(const Bytes notes, slice(bytes, section.sh_offset, section.sh_size));
    out.build_id = build_id_in(notes).value_or("");
  }
  return out;
}

Result<ElfSection> elf_section_at(Bytes bytes, std::string_view name) {
  TRY_ASSIGN(const Elf64_Ehdr header, header_of(bytes));
  TRY_ASSIGN(const auto sections, sections_of(bytes, header));
  if (header.e_shstrndx >= sections.size()) return refuse("no table of section names");
  const Elf64_Shdr& names = sections[header.e_shstrndx];
  TRY_ASSIGN(const Bytes table, slice(bytes, names.sh_offset, names.sh_size));
  for (const Elf64_Shdr& section : sections) {
    TRY_ASSIGN(const std::string_view found, text_at(table, section.sh_name));
    if (found != name) continue;
    if (section.sh_type == SHT_NOBITS) return ElfSection{{}, section.sh_addr};
    TRY_ASSIGN(const Bytes content, slice(bytes, section.sh_offset, section.sh_size));
    return ElfSection{content, section.sh_addr};
  }
  return fail(Errc::not_found, "ELF: no section " + std::string(name));
}

Result<Bytes> elf_section(Bytes bytes, std::string_view name) {
  TRY_ASSIGN(const ElfSection found, elf_section_at(bytes, name));
  return found.bytes;
}

}  // namespace weir::images
