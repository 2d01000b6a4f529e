#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// The part of an older lock that stays as it is.
struct Kept {
  std::vector<manifests::LockedPackage> packages;
  std::vector<manifests::LockedProgram> programs;
  std::optional<std::string> kernel;  ///< one of `packages`; absent: the kernel may move
  std::vector<manifests::LockedPackage> build_packages{};  ///< what modules are compiled with
};

/// Everything in `before` that was not asked to move.
///
/// updates  names of packages or programs; `*` stands for any characters, "kernel" for the kernel
///          under whatever name. A package that only the manifest names is new and comes anyway
/// errors   invalid_input: an update that names nothing in the lock or the manifest, with the
///          closest names
[[nodiscard]] Result<Kept> keep_all_but(const std::vector<std::string>& updates,
                                        const manifests::Lock& before,
                                        const manifests::ImageManifest& manifest);

}  // namespace weir::builder
