#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "builder/kernel/kernel_module.h"
#include "images/tree/file_tree.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The modules of one kernel as its package ships them, by name, not yet read.
struct ModuleIndex {
  std::string release;  ///< folder below usr/lib/modules
  std::map<std::string, images::ImagePath> files;
  std::set<std::string> builtin;  ///< names
  std::set<std::string> builtin_aliases;
};

/// What stands for a package's name where a module comes from a file.
inline constexpr std::string_view kFromFile = "file";

/// A module that lies in another layer of the image than the kernel's.
struct ForeignModule {
  std::string package;  ///< or `kFromFile`
  std::string path;     ///< in the image, without the first slash
  Digest digest;        ///< of the file
  images::Content content{};
  /// Of a module that Weir compiled: the certificate (DER) whose key signed it, in place of one of
  /// the kernel's; empty: it is not signed.
  std::optional<std::string> own_signer{};
};

/// All of them, and which pinned modules shall be one of them, not the kernel package's own.
struct ForeignModules {
  std::vector<ForeignModule> modules{};
  std::map<std::string, std::string> chosen{};  ///< name, as pinned: package, or `kFromFile`
};

struct SelectedModule {
  images::ImagePath path;  ///< usr/lib/modules/RELEASE/kernel/...
  KernelModule module;
  Digest digest;  ///< of the file as shipped
  images::Content unpacked;
  std::string package{};                    ///< or `kFromFile`; empty: the kernel's own
  std::optional<std::string> own_signer{};  ///< `ForeignModule::own_signer`
};

struct ModuleSelection {
  std::map<std::string, SelectedModule> modules;  ///< by name: those pinned, the foreign, and
                                                  ///< what they need
  std::vector<std::string> load;  ///< pinned and not built in, in the manifest's order
  std::string dependencies;       ///< the text of modules.dep
};

/// Finds modules in a merged tree. errors: invalid_input: none, or several kernels' modules
[[nodiscard]] Result<ModuleIndex> index_modules(const images::FileTree& tree);

/// Reads the pinned modules, the foreign ones, which are in the image in any case, and, from their
/// own statements, everything that they need.
///
/// tree     the kernel's package
/// pinned   names, hyphens and underscores alike
/// errors   not_found: pinned modules, or some that are needed, are neither there nor built in, all
///          of them named;
///          invalid_input: a damaged module, or soft dependencies that nothing answers, all of
///          them; integrity: a foreign module that the kernel would not find, load or unpack, or
///          that is there beside another of its name which the image needs
[[nodiscard]] Result<ModuleSelection> select_modules(const images::FileTree& tree,
                                                     const ModuleIndex& index,
                                                     const std::vector<std::string>& pinned,
                                                     const ForeignModules& foreign = {});

}  // namespace weir::builder
