#pragma once

#include <map>
#include <string>

#include "builder/diff/release_facts.h"
#include "images/store/store.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Unpacked layers by the digest of their content: two releases share most.
using LayerTrees = std::map<Digest, images::FileTree>;

/// Reads a release, the lock and the image manifest it was made from where the store has them, and
/// every file of its layers. Signatures are not checked.
/// errors   not_found; integrity: a blob is missing or damaged; each names release and layer
[[nodiscard]] Result<ReleaseFacts> read_release_facts(const images::Store& store,
                                                      const ReleaseName& name, LayerTrees& trees);

}  // namespace weir::builder
