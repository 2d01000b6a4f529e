#pragma once

#include <cstdint>
#include <optional>

#include "manifests/documents/lock.h"

namespace weir::builder {

/// The version of the release that a new lock stands for, so that a channel's releases rise without
/// anybody counting: what the manifest states, else the source epoch, and more than `before` has
/// where anything else of it changed. Two locks made of the same indices without a `before` have
/// the same version: they are of the same age (docs/trust.md).
///
/// next     complete but for its version
/// before   the lock that it takes the place of
/// stated   the manifest's `release.version`
[[nodiscard]] std::uint64_t lock_version(const manifests::Lock& next,
                                         const std::optional<manifests::Lock>& before,
                                         std::optional<std::uint64_t> stated);

}  // namespace weir::builder
