#include "deployer/node/elf_notes.h"

#include <elf.h>

#include <cstring>

namespace weir::node {

Result<std::string> build_id_of(Bytes notes) {
  const auto padded = [](std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; };
  while (!notes.empty()) {
    Elf64_Nhdr header{};
    if (notes.size() < sizeof header) break;
    std::memcpy(&header, notes.data(), sizeof header);
    const std::uint64_t name_at = sizeof header;
    const std::uint64_t content_at = name_at + padded(header.n_namesz);
    if (content_at + header.n_descsz > notes.size()) break;
    const Bytes name = notes.subspan(name_at, header.n_namesz);
    const Bytes content = notes.subspan(content_at, header.n_descsz);
    if (header.n_type == NT_GNU_BUILD_ID && name.size() == 4 &&
        std::memcmp(name.data(), "GNU", 4) == 0) {
      return hex_of(content);
    }
    notes =
        notes.subspan(std::min<std::uint64_t>(content_at + padded(header.n_descsz), notes.size()));
    if (notes.empty()) return fail(Errc::not_found, "no GNU build id among the notes");
  }
  return fail(Errc::invalid_input, "malformed ELF notes");
}

}  // namespace weir::node
