#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "builder/kernel/module_selection.h"
#include "builder/layers/layer_facts.h"
#include "builder/secrets/secret_scan.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Whether a package is one of those that the kernel comes in.
enum class KernelRole : std::uint8_t {
  none,
  named,  ///< the one that the lock names
  part,   ///< one that it was split into: `kernel_packages_of`
};

/// What decides a package's layer besides the package.
struct LayerOptions {
  std::int64_t epoch = 0;      ///< Unix seconds; nothing in the layer is younger
  bool documentation = false;  ///< manuals, documentation and translations stay in
  KernelRole kernel = KernelRole::none;
  std::vector<std::string> modules;                ///< pinned; only for the kernel's packages
  std::shared_ptr<const SecretScanner> scanner{};  ///< none: the rules alone
  AcceptedSecrets accept_secrets{};                ///< the manifest's
  ForeignModules foreign{};                        ///< only for the kernel's packages
  std::vector<Digest> kernel_packages{};           ///< all of them; only where they are several
};

/// A package in memory, as its layer will have it, but for its status and what of a kernel goes.
struct OpenedPackage {
  manifests::LockedPackage package;
  images::FileTree tree;
  std::map<std::string, std::string> control;  ///< its control files, by name
  std::vector<std::string> attributes{};       ///< `images::Deb::attributes`
};

/// A layer and all that is known of it.
struct BuiltLayer {
  LayerFacts facts;
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> kernel_image;  ///< the bzImage, beside the layer of the named package
  /// What looks like a secret and nobody accepted, a line each. Then there are no bytes.
  std::vector<std::string> secrets{};
};

/// Where kernel packages have the kernel: boot/vmlinuz-RELEASE, as of Debian 14 (and 13's
/// backports) usr/lib/modules/RELEASE/vmlinuz.
[[nodiscard]] bool is_boot_image(const images::ImagePath& path);

/// Reads a package: merged /usr, documentation left out.
///
/// deb      whose digest is the lock's
/// errors   integrity: the package is not the one the lock names, or its wg asks for no netlink
///          family wireguard; else as `read_deb` and `merge_usr`; each names the package
[[nodiscard]] Result<OpenedPackage> open_package(const manifests::LockedPackage& package, Bytes deb,
                                                 const LayerOptions& options);

/// A package as its layer, with its status for scanners (var/lib/dpkg/status.d).
/// errors   as `encode_layer`; each names the package
[[nodiscard]] Result<BuiltLayer> make_opened_layer(OpenedPackage package,
                                                   const LayerOptions& options);

/// Both, for a package that no kernel comes in (those: kernel_layers.h).
[[nodiscard]] Result<BuiltLayer> make_package_layer(const manifests::LockedPackage& package,
                                                    Bytes deb, const LayerOptions& options);

/// A tree of our own as a layer. `scanner`: none: the rules alone.
/// errors: as `encode_layer`
[[nodiscard]] Result<BuiltLayer> make_tree_layer(
    std::string name, const images::FileTree& tree, std::int64_t epoch,
    const std::shared_ptr<const SecretScanner>& scanner = nullptr,
    const AcceptedSecrets& accept_secrets = {});

/// Names a layer of our own before it is made, as `layer_key` does for packages.
///
/// content   `images::content_digest` of its tree
[[nodiscard]] Digest tree_layer_key(const std::string& name, const Digest& content,
                                    std::string_view program);

/// Names a package's layer before it is made: equal keys, equal layers (and equal facts).
///
/// program   what identifies the builder's own code, such as its build id
[[nodiscard]] Digest layer_key(const manifests::LockedPackage& package, const LayerOptions& options,
                               std::string_view program);

}  // namespace weir::builder
