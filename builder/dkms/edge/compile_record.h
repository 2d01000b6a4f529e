#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/dkms/compiled_module.h"
#include "builder/mirror/edge/cache.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Remembers in the cache what a DKMS package was compiled to: its bytes as blobs, and in
/// `compiled/KEY` which they are. The format is the cache's own.
[[nodiscard]] Status write_compile_record(const Digest& key,
                                          const std::vector<CompiledModule>& modules,
                                          const Cache& cache);

/// Nothing where something of it is missing or damaged.
[[nodiscard]] std::optional<std::vector<CompiledModule>> read_compile_record(const Digest& key,
                                                                             const Cache& cache);

}  // namespace weir::builder
