#pragma once

#include "builder/mirror/edge/cache.h"
#include "builder/mirror/edge/mirror.h"
#include "builder/mirror/edge/progress.h"
#include "builder/release/build_input.h"
#include "builder/release/own_modules.h"
#include "images/store/store.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The modules that can be had without compiling anything: what is missing is named in
/// `uncompiled`.
///
/// errors   those of `fetch_modules`; unauthorized: a module is to be signed, and neither the key
///          nor a signature is here
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
