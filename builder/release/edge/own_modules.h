#pragma once

#include <optional>

#include "builder/kernel/module_signature.h"
#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/edge/progress.h"
#include "builder/release/build_input.h"
#include "builder/release/own_modules.h"
#include "images/store/store.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The certificate by whose key a lock's compiled modules are signed; nothing where they are not.
/// errors: invalid_input: none is in there
[[nodiscard]] Result<std::optional<KernelCertificate>> module_signer_of(
    const manifests::Lock& lock);

/// The modules that can be had without compiling anything: what is missing is named in
/// `uncompiled`.
///
/// errors   those of `fetch_modules`, and of `check_compiles_here` if something is missing;
///          unauthorized: a module is to be signed, and neither the key nor a signature is here.
///          In a plan that has the key, such a module comes as it was compiled
[[nodiscard]] Result<OwnModules> known_modules(const BuildInput& input, const Cache& cache);

/// All of them: what is missing is compiled, and what is to be signed, signed.
/// errors   those of `known_modules`, `compile` and `choose_compiled`
[[nodiscard]] Result<OwnModules> make_own_modules(const BuildInput& input, const Cache& cache,
                                                  const MirrorRequest& request, Progress& progress);

/// Brings the signatures of a release's compiled modules into the cache, so that it can be made
/// again without the key. errors: those of reading the layer, and of the cache
[[nodiscard]] Status recover_signatures(const images::Store& store,
                                        const manifests::Release& release,
                                        const manifests::Lock& lock, const Cache& cache);

}  // namespace weir::builder
