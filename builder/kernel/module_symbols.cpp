#include "builder/kernel/module_symbols.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "images/formats/elf.h"
#include "images/formats/elf_symbols.h"

namespace weir::builder {
namespace {

using images::ElfSection;
using images::ElfSymbol;

constexpr std::size_t kModversion = 64;  ///< struct modversion_info: 8 bytes of sum, then the name
constexpr std::size_t kExport = 12;  ///< struct kernel_symbol: value, name, namespace; 4 bytes each
constexpr std::string_view kSum = "__crc_", kOffer = "__ksymtab_";

tl::unexpected<Error> bad_symbols(std::string_view why) {
  return fail(Errc::invalid_input, "symbols: " + std::string(why));
}

std::uint32_t word_at(Bytes bytes, std::size_t at) {
  std::uint32_t out = 0;
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}

// A section that need not be there.
Result<std::optional<ElfSection>> section(Bytes file, std::string_view name) {
  auto found = images::elf_section_at(file, name);
  if (found) return std::optional(*found);
  if (found.error().code == Errc::not_found) return std::optional<ElfSection>();
  return tl::unexpected(found.error());
}

std::optional<std::string_view> text_at(Bytes table, std::size_t at) {
  if (at >= table.size()) return std::nullopt;
  const Bytes rest = table.subspan(at);
  const void* end = std::memchr(rest.data(), 0, rest.size());
  if (end == nullptr) return std::nullopt;
  const auto size = static_cast<const std::uint8_t*>(end) - rest.data();
  return std::string_view(reinterpret_cast<const char*>(rest.data()),
                          static_cast<std::size_t>(size));
}

Status add_version(std::string_view name, std::uint32_t sum, ModuleSymbols& out) {
  if (name.empty()) return bad_symbols("a checksum without a name");
  if (!out.versions.emplace(name, sum).second) {
    return bad_symbols("two checksums for " + std::string(name));
  }
  return {};
}

Status read_versions(Bytes module, ModuleSymbols& out) {
  TRY_ASSIGN(const auto table, section(module, "__versions"));
  if (!table) return {};
  if (table->bytes.size() % kModversion != 0) return bad_symbols("__versions has a foreign size");
  for (std::size_t at = 0; at < table->bytes.size(); at += kModversion) {
    const auto name = text_at(table->bytes.subspan(at, kModversion), 8);
    if (!name) return bad_symbols("a name in __versions has no end");
    TRY(add_version(*name, word_at(table->bytes, at), out));
  }
  return {};
}

Status read_long_versions(Bytes module, ModuleSymbols& out) {
  TRY_ASSIGN(const auto sums, section(module, "__version_ext_crcs"));
  TRY_ASSIGN(const auto names, section(module, "__version_ext_names"));
  if (!sums && !names) return {};
  if (!sums || !names || sums->bytes.size() % 4 != 0) return bad_symbols("__version_ext_* is cut");
  std::size_t at = 0;
  for (std::size_t i = 0; i < sums->bytes.size(); i += 4) {
    const auto name = text_at(names->bytes, at);
    if (!name) return bad_symbols("__version_ext_names has fewer names than there are checksums");
    at += name->size() + 1;
    // Both kinds of table may be there, and must then agree.
    const auto known = out.versions.find(std::string(*name));
    if (known != out.versions.end() && known->second == word_at(sums->bytes, i)) continue;
    TRY(add_version(*name, word_at(sums->bytes, i), out));
  }
  return {};
}

Result<std::uint32_t> sum_of(Bytes module, const ElfSymbol& symbol) {
  if (symbol.section == SHN_ABS) return static_cast<std::uint32_t>(symbol.value);
  TRY_ASSIGN(const Bytes place, images::elf_section_of(module, symbol.section));
  if (symbol.value > place.size() || place.size() - symbol.value < 4) {
    return bad_symbols("a checksum leaves its section");
  }
  return word_at(place, symbol.value);
}

// One of the kernel's tables of exports; `sums` may be absent (no CONFIG_MODVERSIONS).
Status read_exports(const ElfSection& table, const ElfSection& strings,
                    const std::optional<ElfSection>& sums, SymbolSums& out) {
  const std::size_t count = table.bytes.size() / kExport;
  if (table.bytes.size() % kExport != 0 || (sums && sums->bytes.size() != count * 4)) {
    return bad_symbols("the kernel's table of exports is of a kind that is not known here");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t field = i * kExport + 4;
    const auto relative = static_cast<std::int32_t>(word_at(table.bytes, field));
    const std::uint64_t address =
        table.address + field + static_cast<std::uint64_t>(std::int64_t{relative});
    const auto name = text_at(strings.bytes, address - strings.address);
    if (!name || name->empty()) return bad_symbols("an exported symbol of the kernel has no name");
    std::optional<std::uint32_t> sum;
    if (sums) sum = word_at(sums->bytes, i * 4);
    if (!out.emplace(*name, sum).second) {
      return bad_symbols("the kernel exports " + std::string(*name) + " twice");
    }
  }
  return {};
}

}  // namespace

Result<ModuleSymbols> read_module_symbols(Bytes module) {
  ModuleSymbols out;
  TRY(read_versions(module, out));
  TRY(read_long_versions(module, out));
  TRY_ASSIGN(const auto symbols, images::elf_symbols(module));
  for (const ElfSymbol& symbol : symbols) {
    if (symbol.name.starts_with(kSum) && symbol.section != SHN_UNDEF) {
      TRY_ASSIGN(out.exports[std::string(symbol.name.substr(kSum.size()))], sum_of(module, symbol));
    } else if (symbol.name.starts_with(kOffer) && symbol.section != SHN_UNDEF) {
      out.exports.try_emplace(std::string(symbol.name.substr(kOffer.size())), std::nullopt);
    } else if (symbol.section == SHN_UNDEF && (symbol.global || symbol.weak) &&
               !symbol.name.empty()) {
      out.needs.emplace(symbol.name, symbol.weak);
    }
  }
  return out;
}

Result<SymbolSums> read_kernel_exports(Bytes vmlinux) {
  SymbolSums out;
  TRY_ASSIGN(const auto strings, section(vmlinux, "__ksymtab_strings"));
  for (const std::string kind : {"", "_gpl"}) {
    TRY_ASSIGN(const auto table, section(vmlinux, "__ksymtab" + kind));
    TRY_ASSIGN(const auto sums, section(vmlinux, "__kcrctab" + kind));
    if (!table) continue;
    if (!strings) return bad_symbols("the kernel's exports have no names");
    TRY(read_exports(*table, *strings, sums, out));
  }
  return out;
}

}  // namespace weir::builder
