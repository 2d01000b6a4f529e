#pragma once

#include "builder/kernel/module_symbols.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Reads what a kernel without sections exports. `__ksymtab` and `__ksymtab_gpl` are one run of
/// entries of 12 bytes whose second and third fields lead to names, each of the two sorted by name;
/// behind them lie `__kcrctab*`, a sum for each entry in the same order (CONFIG_MODVERSIONS), then
/// flags of a byte each (as of Linux 6.18), then `__ksymtab_strings`, where the names begin.
///
/// errors   invalid_input: no such run, or what lies behind it is not as above
/// source   Linux, include/asm-generic/vmlinux.lds.h, RO_DATA; include/linux/export.h
[[nodiscard]] Result<SymbolSums> find_kernel_exports(Bytes image);

}  // namespace weir::builder
