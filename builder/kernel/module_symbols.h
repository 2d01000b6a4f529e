#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Symbols and the checksum over their types (CONFIG_MODVERSIONS), where there is one.
using SymbolSums = std::map<std::string, std::optional<std::uint32_t>, std::less<>>;

/// What a module asks of the kernel and of other modules, and what it offers them.
struct ModuleSymbols {
  std::map<std::string, std::uint32_t> versions;  ///< sums it was built against, by symbol
  std::map<std::string, bool> needs;              ///< what it calls, and whether it can do without
  SymbolSums exports;
  bool operator==(const ModuleSymbols&) const = default;
};

/// Reads an unpacked module: `__versions` (entries of 64 bytes) or, as of Linux 6.14,
/// `__version_ext_crcs` and `__version_ext_names`; undefined symbols; `__ksymtab_*` and `__crc_*`
/// symbols.
/// errors: invalid_input: a damaged table
/// source: Linux, include/linux/module.h (struct modversion_info), scripts/mod/modpost.c
[[nodiscard]] Result<ModuleSymbols> read_module_symbols(Bytes module);

/// Reads what an unpacked kernel exports: `__ksymtab*` beside `__kcrctab*`.
/// returns  empty where the kernel exports nothing
/// errors   invalid_input: tables that do not belong together
/// source   Linux, include/linux/export.h, struct kernel_symbol with relative references (x86)
[[nodiscard]] Result<SymbolSums> read_kernel_exports(Bytes vmlinux);

}  // namespace weir::builder
