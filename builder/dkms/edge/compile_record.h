#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/dkms/compiled_module.h"
#include "builder/mirror/edge/cache.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Remembers in the cache what a DKMS package was compiled to: its bytes as blobs, and in
/// `compiled/KEY` which they are. The format is the cache's own.
/// modules   at least one
[[nodiscard]] Status write_compile_record(const Digest& key,
                                          const std::vector<CompiledModule>& modules,
                                          const Cache& cache);

/// What the cache remembers of one DKMS package.
struct CompileRecord {
  std::optional<std::vector<CompiledModule>> modules{};
  std::string doubt{};  ///< why what lies there is not believed: names the file
};

/// What lies there counts only whole, unchanged since it was written, and of this package for this
/// kernel.
///
/// package   as locked
/// release   the kernel's
[[nodiscard]] CompileRecord read_compile_record(const Digest& key,
                                                const manifests::LockedPackage& package,
                                                const std::string& release, const Cache& cache);

}  // namespace weir::builder
