#include "images/formats/elf_tables.h"

#include "images/formats/elf.h"

namespace weir::images::elf_tables {

Result<std::string_view> text_at(Bytes table, std::uint64_t offset) {
  if (offset >= table.size()) return refuse("a string leaves its table");
  const Bytes rest = table.subspan(offset);
  const void* end = std::memchr(rest.data(), 0, rest.size());
  if (end == nullptr) return refuse("a string without an end");
  return std::string_view(
      reinterpret_cast<const char*>(rest.data()),
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

Result<std::vector<Elf64_Shdr>> sections_of(Bytes bytes, const Elf64_Ehdr& header) {
  if (header.e_shoff == 0) return std::vector<Elf64_Shdr>();
  return read_table<Elf64_Shdr>(bytes, header.e_shoff, header.e_shnum);
}

}  // namespace weir::images::elf_tables
