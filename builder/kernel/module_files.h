#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "builder/kernel/module_selection.h"
#include "images/tree/file_tree.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"

namespace weir::builder {

/// The layer of the kernel modules that the manifest takes from files, and of those that were
/// compiled for it.
inline constexpr std::string_view kModulesLayer = "weir-modules";

/// A kernel module in a layer that is not the kernel's.
struct ModuleFile {
  std::string path;  ///< without the first slash
  Digest digest;     ///< of the file as it lies there
  bool operator==(const ModuleFile&) const = default;
};

/// A module of `kModulesLayer`, byte for byte.
struct NamedModule {
  std::string name;  ///< as the manifest writes it
  std::string file;  ///< its name decides how the module is compressed
  images::Content content;
  std::string package = std::string(kFromFile);  ///< or the DKMS package it was compiled from
  std::optional<std::string> own_signer{};       ///< `ForeignModule::own_signer`
};

/// Where depmod looks first: usr/lib/modules/RELEASE/updates/NAME.ko, or .ko.xz, .ko.zst; what was
/// compiled lies where dkms would have put it, in the folder `dkms` there. RELEASE is what the
/// module's own `vermagic` says; whether that is the kernel's is judged with the kernel. As our own
/// programs' layer, the tree is dated 1970.
///
/// errors   invalid_input: not a kernel module, one of another name, or one whose `vermagic` begins
///          with no kernel's release; each names the file
[[nodiscard]] Result<images::FileTree> make_modules_tree(const std::vector<NamedModule>& modules);

/// The same modules, in the order of their paths, with their content.
///
/// tree     made of `modules`
[[nodiscard]] std::vector<ForeignModule> foreign_modules_of(const std::vector<NamedModule>& modules,
                                                            const images::FileTree& tree);

/// The modules of a package's layer that is not the kernel's, without their content; in the order
/// of paths.
[[nodiscard]] std::vector<ForeignModule> foreign_modules_in(const std::string& layer,
                                                            const std::vector<ModuleFile>& files);

/// Which pinned modules shall come from where, as `ForeignModules::chosen` has it.
///
/// kernel   the packages whose own modules need no choosing
[[nodiscard]] std::map<std::string, std::string> chosen_modules(
    const manifests::ImageManifest& manifest, const std::set<std::string>& kernel);

}  // namespace weir::builder
