#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "builder/kernel/module_files.h"
#include "builder/packages/alternative.h"
#include "builder/packages/package_declarations.h"
#include "images/formats/elf.h"
#include "images/tree/file_tree.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::builder {

enum class EntryKind : std::uint8_t { folder, file, link, device, fifo };

/// One path of a layer, without content.
struct ListedEntry {
  EntryKind kind{};
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::string target;  ///< of a link
  bool operator==(const ListedEntry&) const = default;
};

/// The kernel that a package brings.
struct KernelFacts {
  manifests::ReleaseKernel kernel;
  /// Every module of the image, those of other layers too, by name.
  std::vector<manifests::ReleaseModule> modules;
  std::vector<std::string> load;  ///< names, pinned and not built in, in the manifest's order
  bool operator==(const KernelFacts&) const = default;
};

/// Everything that an image needs to know of one layer besides its bytes, so that a layer that was
/// built before need not be opened again.
struct LayerFacts {
  manifests::ReleaseLayer layer;
  std::int64_t newest = 0;  ///< the newest time in the package; the layer is good for later epochs
  std::map<std::string, ListedEntry> entries;   ///< by path
  std::map<std::string, images::Elf> programs;  ///< ELF files that can be run or loaded
  std::map<std::string, Digest> scripts;        ///< preinst, postinst: their `script_digest`
  std::set<std::string> conffiles;              ///< paths
  std::optional<KernelFacts> kernel;
  manifests::ReleaseScan scan{};
  PackageDeclarations declared{};                     ///< of a package's layer
  std::vector<ModuleFile> modules{};                  ///< by path; none for the kernel's own layer
  std::map<std::string, std::string> interpreters{};  ///< of what begins with "#!" and may be run
  std::map<std::string, std::string> followed{};      ///< texts of what is `is_followed`, by path
  std::vector<Alternative> alternatives{};            ///< that its scripts offer
  std::vector<std::string>
      without{};  ///< what of the package a node will not have, a sentence each
};

[[nodiscard]] ListedEntry listed(const images::Node& node);
[[nodiscard]] std::map<std::string, ListedEntry> list_entries(const images::FileTree& tree);
/// Reads what is ELF in a tree. errors: invalid_input, naming the file
[[nodiscard]] Result<std::map<std::string, images::Elf>> list_programs(
    const images::FileTree& tree);

/// What interprets the programs of a tree that begin with "#!": "/bin/sh", or "/usr/bin/env
/// python3" with the name that `env` looks for. source: execve(2)
[[nodiscard]] std::map<std::string, std::string> list_interpreters(const images::FileTree& tree);

/// Files of an image that Weir follows where a maintainer script would have run the program that
/// reads them.
[[nodiscard]] bool is_tmpfiles_path(std::string_view path);      ///< "usr/lib/tmpfiles.d/x.conf"
[[nodiscard]] bool is_certificates_path(std::string_view path);  ///< of update-ca-certificates
[[nodiscard]] bool is_loader_path(std::string_view path);        ///< "etc/ld.so.conf.d/x.conf"
[[nodiscard]] bool is_accounts_path(std::string_view path);      ///< base-passwd's two
[[nodiscard]] bool is_followed(std::string_view path);           ///< any of them
/// Such files of a tree, with their texts.
[[nodiscard]] std::map<std::string, std::string> list_followed(const images::FileTree& tree);

/// The kernel modules of a tree: what is named like one below usr/lib/modules, and elsewhere if it
/// is ELF as well.
[[nodiscard]] std::vector<ModuleFile> list_modules(const images::FileTree& tree);

/// The cache's own format: it may change with every builder, and is never shown or shared.
[[nodiscard]] std::string print(const LayerFacts& facts);
/// errors: invalid_input
[[nodiscard]] Result<LayerFacts> parse_layer_facts(std::string_view json);

}  // namespace weir::builder
