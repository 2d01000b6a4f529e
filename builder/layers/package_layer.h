#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "builder/kernel/module_selection.h"
#include "builder/layers/layer_facts.h"
#include "builder/secrets/secret_scan.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// What decides a package's layer besides the package.
struct LayerOptions {
  std::int64_t epoch = 0;            ///< Unix seconds; nothing in the layer is younger
  bool documentation = false;        ///< manuals, documentation and translations stay in
  bool kernel = false;               ///< this is the kernel's package
  std::vector<std::string> modules;  ///< pinned; only for the kernel's package
  std::shared_ptr<const SecretScanner> scanner{};  ///< none: the rules alone
  AcceptedSecrets accept_secrets{};                ///< the manifest's
  ForeignModules foreign{};                        ///< only for the kernel's package
};

/// A layer and all that is known of it.
struct BuiltLayer {
  LayerFacts facts;
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> kernel_image;  ///< the bzImage, of the kernel's package
};

/// Turns a package into its layer: merged /usr, documentation left out, package status for scanners
/// put in (var/lib/dpkg/status.d). Of a kernel's package only the pinned modules and what they and
/// the foreign ones need go in, byte for byte, with a modules.dep for all of the image; its boot
/// image stands beside the layer.
///
/// deb      whose digest is the lock's
/// errors   integrity: the package is not the one the lock names, or a module is not for this
/// kernel, or wg or a module speaks no netlink family wireguard that the other does;
///          unauthorized: there is a secret in it; else as `read_deb`, `merge_usr`,
///          `select_modules`; each names the package
[[nodiscard]] Result<BuiltLayer> make_package_layer(const manifests::LockedPackage& package,
                                                    Bytes deb, const LayerOptions& options);

/// A tree of our own as a layer. `scanner`: none: the rules alone.
/// errors: as `scan_tree` and `encode_layer`
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
