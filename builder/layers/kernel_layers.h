#pragma once

#include <vector>

#include "builder/layers/package_layer.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The layers of the packages that a kernel comes in: one package that has everything (Debian until
/// 6.18), or the kernel, its modules, and the lists of what is built in, each in one of its own.
/// Wherever they are, the kernel is taken out and stands beside the layer of the named package, and
/// of the modules only the pinned ones and what they and the foreign ones need stay, byte for byte,
/// each in its package's layer; the named package's has a modules.dep for all of the image.
///
/// packages  opened, the named one first
/// options   the named one's
/// returns   their layers, in the same order; `LayerFacts::kernel` is at the first
/// errors    invalid_input: no kernel in them, or two different ones, or no modules, or a path that
///           two of them have; integrity: a module is not for this kernel, or speaks no netlink
///           family wireguard that wg does; else as `select_modules` and `make_opened_layer`; each
///           names the package
[[nodiscard]] Result<std::vector<BuiltLayer>> make_kernel_layers(
    std::vector<OpenedPackage> packages, const LayerOptions& options);

}  // namespace weir::builder
