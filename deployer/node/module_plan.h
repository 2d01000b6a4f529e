#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::node {

/// Which files to load for the modules a node wants.
struct ModulePlan {
  std::vector<std::string> files;    ///< as modules.dep names them, each once, dependencies first
  std::vector<std::string> missing;  ///< neither there nor built in
};

/// wanted   module names in order; '-' and '_' are the same
/// depends  the text of modules.dep: `kernel/net/x.ko: kernel/net/y.ko …`
/// builtin  the text of modules.builtin: one path a line
/// source   modules.dep(5)
[[nodiscard]] ModulePlan plan_modules(const std::vector<std::string>& wanted,
                                      std::string_view depends, std::string_view builtin);

/// "kernel/net/a-b.ko.xz" is the module "a_b".
[[nodiscard]] std::string module_name(std::string_view path);

/// Whether the kernel has to decompress the file (MODULE_INIT_COMPRESSED_FILE).
[[nodiscard]] bool is_compressed_module(std::string_view path);

}  // namespace weir::node
