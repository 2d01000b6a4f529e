#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifests/documents/lock.h"

namespace weir::builder {

/// What a new lock changes against an older one.
struct LockChange {
  std::string name;  ///< a package, a program of Weir's own, "module NAME" (from a file), "signer
                     ///< of SUITE", "expired index of SUITE", "place of PACKAGE" (the same bytes
                     ///< from another suite or path) or "compressor"
  std::optional<std::string> from, to;  ///< versions; absent: added, or removed. A program's or
                                        ///< module's version is the first 12 digits of its
                                        ///< digest, a signer's the key's fingerprint
  bool operator==(const LockChange&) const = default;
};

/// By name. A package whose version stayed but whose bytes differ counts as changed.
[[nodiscard]] std::vector<LockChange> changes(const manifests::Lock& before,
                                              const manifests::Lock& after);

/// Which signed indices are others than those of the older lock, by suite, with their dates. An
/// archive that stands elsewhere now shows here, too: it signs an index of its own.
[[nodiscard]] std::vector<LockChange> index_changes(const manifests::Lock& before,
                                                    const manifests::Lock& after);

}  // namespace weir::builder
