#pragma once

#include <string>
#include <vector>

#include "builder/release/edge/build.h"
#include "builder/release/rebuild_differences.h"
#include "images/store/edge/store.h"
#include "keys/signing/minisign.h"
#include "manifests/base/result.h"
#include "manifests/documents/rebuild_statement.h"
#include "manifests/documents/release.h"

namespace weir::builder {

struct RebuildOutcome {
  manifests::RebuildStatement statement;     ///< true only if there are no differences
  Digest rebuilt;                            ///< digest of the document that came out
  std::string stored_builder;                ///< builder and compressor of the stored release
  std::vector<FieldDifference> differences;  ///< none: bit-identical
  IndexVerdict index;
};

/// What rebuilding would do.
struct RebuildPlan {
  manifests::Release release;
  Digest digest;                          ///< of the release document
  std::size_t packages = 0, fetched = 0;  ///< of the lock, and how many of them the cache has
  ByteCount to_fetch;                     ///< of the others
  IndexVerdict index;
};

/// Finds the lock, the manifest and the programs of a release, as `rebuild_release` does.
/// errors      those of `read_release_input` and `hold_to_index`
[[nodiscard]] Result<RebuildPlan> plan_rebuild(const images::Store& store,
                                               const images::StoredRelease& stored,
                                               const Cache& cache, IndexDemand demand);

/// Makes a stored release again, from nothing but its lock and the packages that the lock names:
/// no layer that is there already is used. Nothing is changed but the cache.
///
/// stored      as read from `store`
/// overrides   `--mirror` arguments
/// errors      those of `read_release_input`, of `hold_to_index` and of building
[[nodiscard]] Result<RebuildOutcome> rebuild_release(const images::Store& store,
                                                     const images::StoredRelease& stored,
                                                     const Cache& cache,
                                                     const std::vector<std::string>& overrides,
                                                     Progress& progress, IndexDemand demand);

/// Signs the statement and puts it beside the release. errors: bug: the rebuild differed; io
[[nodiscard]] Status write_rebuild_statement(const images::Store& store,
                                             const RebuildOutcome& outcome,
                                             const keys::Signer& signer);

}  // namespace weir::builder
