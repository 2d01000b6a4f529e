#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// What a kernel package's name says, as Debian and its descendants write it. Views into the name.
struct KernelPackageName {
  std::string_view kind;     ///< "linux-image", "linux-binary", "linux-binary-unsigned"
  std::string_view release;  ///< "6.1.0-50-rt-amd64"; empty: the newest of its flavour
  std::string_view flavour;  ///< "rt-amd64"; may be empty
};

/// Splits the name of a package that boots: `linux-image-…`, or the kernel's half of a split one,
/// `linux-binary-…`. Nothing is known of other names: all three are empty.
[[nodiscard]] KernelPackageName read_kernel_package_name(std::string_view package);

/// Where a kernel of this lock lies: the package that the lock names, first, then those that it was
/// split into. These are packages named after the same release (`linux-modules-RELEASE`), and those
/// that the named one needs and that have its very version.
/// returns  places in `lock.packages`; empty where the lock's kernel is none of them
[[nodiscard]] std::vector<std::size_t> kernel_packages_of(const manifests::Lock& lock);

/// Whether a module of this release came with its kernel, not from another package or a file.
[[nodiscard]] bool is_kernels_own(const manifests::Release& release,
                                  const manifests::ReleaseModule& module);

}  // namespace weir::builder
