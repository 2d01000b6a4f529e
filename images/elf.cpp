#include "images/elf.h"

#include <elf.h>

#include <cstring>

namespace weir::images {
namespace {

tl::unexpected<Error> refuse(std::string_view why) {
  return fail(Errc::invalid_input, "ELF: " + std::string(why));
}

Result<Bytes> slice(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset)
    return refuse("a table leaves the file");
  return bytes.subspan(offset, size);
}

template <class T>
Result<T> read(Bytes bytes, std::uint64_t offset) {
  TRY_ASSIGN(const Bytes found, slice(bytes, offset, sizeof(T)));
  T out;
  std::memcpy(&out, found.data(), sizeof out);
  return out;
}

template <class T>
Result<std::vector<T>> read_table(Bytes bytes, std::uint64_t offset, std::size_t count) {
  // First whether the file holds it: what it states may be any size.
  TRY_ASSIGN(const Bytes found, slice(bytes, offset, count * sizeof(T)));
  std::vector<T> out(count);
  if (count > 0) std::memcpy(out.data(), found.data(), found.size());
  return out;
}

Result<std::string> text_at(Bytes table, std::uint64_t offset) {
  if (offset >= table.size()) return refuse("a string leaves its table");
  const Bytes rest = table.subspan(offset);
  const void* end = std::memchr(rest.data(), 0, rest.size());
  if (end == nullptr) return refuse("a string without an end");
  return std::string(reinterpret_cast<const char*>(rest.data()),
                     static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - rest.data()));
}

Result<Elf64_Ehdr> header_of(Bytes bytes) {
  if (!is_elf(bytes)) return refuse("not an ELF file");
  TRY_ASSIGN(const Elf64_Ehdr header, read<Elf64_Ehdr>(bytes, 0));
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return refuse("not of 64 bits, little endian");
  }
  if ((header.e_phnum > 0 && header.e_phentsize != sizeof(Elf64_Phdr)) ||
      (header.e_shnum > 0 && header.e_shentsize != sizeof(Elf64_Shdr))) {
    return refuse("entries of a foreign size");
  }
  return header;
}

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

Status read_dynamic(Bytes bytes, const std::vector<Elf64_Phdr>& segments, const Elf64_Phdr& dynamic,
                    Elf& out) {
  TRY_ASSIGN(const auto entries,
             read_table<Elf64_Dyn>(bytes, dynamic.p_offset, dynamic.p_filesz / sizeof(Elf64_Dyn)));
  std::uint64_t strings = 0, size = 0, soname = 0, rpath = 0, runpath = 0;
  std::vector<std::uint64_t> needed;
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ) size = entry.d_un.d_val;
    if (entry.d_tag == DT_SONAME) soname = entry.d_un.d_val;
    if (entry.d_tag == DT_RPATH) rpath = entry.d_un.d_val;
    if (entry.d_tag == DT_RUNPATH) runpath = entry.d_un.d_val;
    if (entry.d_tag == DT_NEEDED) needed.push_back(entry.d_un.d_val);
  }
  if (strings == 0) return {};
  TRY_ASSIGN(const std::uint64_t offset, offset_of(segments, strings));
  TRY_ASSIGN(const Bytes table, slice(bytes, offset, size));
  for (const std::uint64_t name : needed) {
    TRY_ASSIGN(std::string text, text_at(table, name));
    out.needed.push_back(std::move(text));
  }
  if (soname != 0) {
    TRY_ASSIGN(out.soname, text_at(table, soname));
  }
  if (const std::uint64_t path = runpath != 0 ? runpath : rpath; path != 0) {
    TRY_ASSIGN(out.run_path, text_at(table, path));
  }
  return {};
}

Result<std::vector<Elf64_Shdr>> sections_of(Bytes bytes, const Elf64_Ehdr& header) {
  if (header.e_shoff == 0) return std::vector<Elf64_Shdr>();
  return read_table<Elf64_Shdr>(bytes, header.e_shoff, header.e_shnum);
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

Result<Bytes> elf_section(Bytes bytes, std::string_view name) {
  TRY_ASSIGN(const Elf64_Ehdr header, header_of(bytes));
  TRY_ASSIGN(const auto sections, sections_of(bytes, header));
  if (header.e_shstrndx >= sections.size()) return refuse("no table of section names");
  const Elf64_Shdr& names = sections[header.e_shstrndx];
  TRY_ASSIGN(const Bytes table, slice(bytes, names.sh_offset, names.sh_size));
  for (const Elf64_Shdr& section : sections) {
    TRY_ASSIGN(const std::string found, text_at(table, section.sh_name));
    if (found == name) return slice(bytes, section.sh_offset, section.sh_size);
  }
  return fail(Errc::not_found, "ELF: no section " + std::string(name));
}

}  // namespace weir::images
