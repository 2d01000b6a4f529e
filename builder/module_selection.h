#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "builder/kernel_module.h"
#include "images/file_tree.h"
#include "manifests/result.h"

namespace weir::builder {

/// The modules of one kernel as its package ships them, by name, not yet read.
struct ModuleIndex {
  std::string release;  ///< folder below usr/lib/modules
  std::map<std::string, images::ImagePath> files;
  std::set<std::string> builtin;  ///< names
  std::set<std::string> builtin_aliases;
};

struct SelectedModule {
  images::ImagePath path;  ///< usr/lib/modules/RELEASE/kernel/...
  KernelModule module;
  Digest digest;  ///< of the file as shipped
  images::Content unpacked;
};

struct ModuleSelection {
  std::map<std::string, SelectedModule> modules;  ///< by name: those pinned and what they need
  std::vector<std::string> load;  ///< pinned and not built in, in the manifest's order
  std::string dependencies;       ///< the text of modules.dep
};

/// Finds modules in a merged tree. errors: invalid_input: none, or several kernels' modules
[[nodiscard]] Result<ModuleIndex> index_modules(const images::FileTree& tree);

/// Reads the pinned modules and, from their own statements, everything that they need.
///
/// pinned   names, hyphens and underscores alike
/// errors   not_found: a pinned module, or one that it needs, is neither there nor built in;
///          invalid_input: a damaged module, or a soft dependency that nothing pinned answers
[[nodiscard]] Result<ModuleSelection> select_modules(const images::FileTree& tree,
                                                     const ModuleIndex& index,
                                                     const std::vector<std::string>& pinned);

}  // namespace weir::builder
