#include "images/formats/elf_symbols.h"

#include "images/formats/elf_tables.h"

namespace weir::images {

using namespace elf_tables;

Result<std::vector<ElfSymbol>> elf_symbols(Bytes bytes) {
  TRY_ASSIGN(const Elf64_Ehdr header, header_of(bytes));
  TRY_ASSIGN(const auto sections, sections_of(bytes, header));
  std::vector<ElfSymbol> out;
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB) continue;
    if (section.sh_link >= sections.size()) return refuse("symbols without a table of names");
    const Elf64_Shdr& strings = sections[section.sh_link];
    TRY_ASSIGN(const Bytes names, slice(bytes, strings.sh_offset, strings.sh_size));
    TRY_ASSIGN(const auto symbols, read_table<Elf64_Sym>(bytes, section.sh_offset,
                                                         section.sh_size / sizeof(Elf64_Sym)));
    for (std::size_t i = 1; i < symbols.size(); ++i) {
      const Elf64_Sym& symbol = symbols[i];
      TRY_ASSIGN(const std::string_view name, text_at(names, symbol.st_name));
      const auto binding = ELF64_ST_BIND(symbol.st_info);
      out.push_back(
          {name, symbol.st_value, symbol.st_shndx, binding == STB_GLOBAL, binding == STB_WEAK});
    }
    break;
  }
  return out;
}

Result<Bytes> elf_section_of(Bytes bytes, std::uint16_t index) {
  TRY_ASSIGN(const Elf64_Ehdr header, header_of(bytes));
  TRY_ASSIGN(const auto sections, sections_of(bytes, header));
  if (index >= sections.size()) return refuse("a section that is not there");
  if (sections[index].sh_type == SHT_NOBITS) return Bytes();
  return slice(bytes, sections[index].sh_offset, sections[index].sh_size);
}

}  // namespace weir::images
