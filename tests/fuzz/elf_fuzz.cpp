#include "images/formats/elf.h"
#include "images/formats/elf_symbols.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const Bytes bytes(data, size);
  (void)images::build_id_in(bytes);
  const auto section = images::elf_section(bytes, ".dynstr");
  if (section && !section->empty()) {
    MUST_HOLD(section->data() >= data && section->data() + section->size() <= data + size);
  }
  if (const auto symbols = images::elf_symbols(bytes)) {
    for (const images::ElfSymbol& symbol : *symbols) {
      MUST_HOLD(symbol.name.size() < size);
      (void)images::elf_section_of(bytes, symbol.section);
    }
  }
  const auto elf = images::parse_elf(bytes);
  if (!elf) {
    MUST_HOLD(!elf.error().message.empty());
    return 0;
  }
  for (const std::string& name : elf->needed) MUST_HOLD(name.size() < size);
  return 0;
}
