#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "builder/dkms/compiled_module.h"
#include "builder/dkms/edge/compile_record.h"
#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/edge/progress.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// What is to be compiled, and with what.
struct CompileInput {
  const manifests::LockedModuleBuild& build;
  std::string architecture;
};

/// Whether this package, which the cache has, is a DKMS package.
/// errors: as `read_package` and `find_dkms_source`
[[nodiscard]] Status check_is_dkms(const manifests::LockedPackage& package, const Cache& cache);

/// What the cache remembers of a DKMS package that was compiled before with these very packages
/// (`compiled/KEY`).
[[nodiscard]] CompileRecord find_compiled(const CompileInput& input, const std::string& package,
                                          const Cache& cache);

/// Whether this machine can compile for the architecture, as far as that shows before it does.
/// errors: invalid_input: it is of another one; not_found: no bwrap
[[nodiscard]] Status check_compiles_here(const std::string& architecture);

/// Those of `build.packages` that the cache lacks.
[[nodiscard]] std::vector<manifests::LockedPackage> to_fetch(const CompileInput& input,
                                                             const Cache& cache);

/// Fetches what is missing, unpacks it into a root of its own, and compiles each of `packages`
/// there without a network. What comes out is remembered; a log of what failed stays in the cache.
///
/// packages   of `build.sources`
/// mirrors    asked once, if the cache lacks a package
/// errors     as `check_compiles_here`, `fetch_packages` and `read_package`; kernel: no sandbox can
///            be made; invalid_input: a package is no DKMS package, excludes this kernel, or
///            does not compile: names the log; exhausted: the disk is full, or it took over an hour
[[nodiscard]] Result<std::vector<CompiledModule>> compile(
    const CompileInput& input, const std::vector<std::string>& packages, const Cache& cache,
    const std::function<Result<Mirrors>()>& mirrors, Progress& progress);

}  // namespace weir::builder
