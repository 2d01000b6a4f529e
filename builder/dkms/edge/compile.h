#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "builder/dkms/compiled_module.h"
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

/// What the cache remembers of a DKMS package that was compiled before with these very packages
/// (`compiled/KEY`); nothing where it does not, or where a module's bytes are gone or damaged.
[[nodiscard]] std::optional<std::vector<CompiledModule>> find_compiled(const CompileInput& input,
                                                                       const std::string& package,
                                                                       const Cache& cache);

/// Those of `build.packages` that the cache lacks.
[[nodiscard]] std::vector<manifests::LockedPackage> to_fetch(const CompileInput& input,
                                                             const Cache& cache);

/// Fetches what is missing, unpacks it into a root of its own, and compiles each of `packages`
/// there without a network. What comes out is remembered; a log of what failed stays in the cache.
///
/// packages   of `build.sources`
/// mirrors    asked once, if the cache lacks a package
/// errors     as `fetch_packages` and `read_package`; not_found: no bwrap here; kernel: no sandbox
///            can be made; invalid_input: a package is no DKMS package, excludes this kernel, or
///            does not compile: names the log; exhausted: the disk is full, or it took over an hour
[[nodiscard]] Result<std::vector<CompiledModule>> compile(
    const CompileInput& input, const std::vector<std::string>& packages, const Cache& cache,
    const std::function<Result<Mirrors>()>& mirrors, Progress& progress);

}  // namespace weir::builder
