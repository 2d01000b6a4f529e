#pragma once

#include <string>
#include <vector>

#include "builder/release/edge/build.h"
#include "builder/release/rebuild_differences.h"
#include "images/store/store.h"
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

/// What rebuilding will do.
struct RebuildPlan {
  ReleaseName name;
  std::string stored;  ///< the release document
  manifests::Release release;
  Digest digest;  ///< of the document
  BuildInput input;
  BuildPlan layers;
  IndexVerdict index;
};

/// Finds the lock, the manifest and the programs of a release, and decides what to make and fetch.
///
/// stored      as read from `store`
/// errors      those of `read_release_input` and `hold_to_index`
[[nodiscard]] Result<RebuildPlan> plan_rebuild(const images::Store& store,
                                               const images::StoredRelease& stored,
                                               const Cache& cache, IndexDemand demand);

/// Makes a stored release again, from nothing but its lock and the packages that the lock names:
/// no layer that is there already is used. Nothing is changed but the cache.
///
/// request     where files come from
/// errors      those of building
[[nodiscard]] Result<RebuildOutcome> rebuild_release(const RebuildPlan& plan, const Cache& cache,
                                                     const MirrorRequest& request,
                                                     Progress& progress);

/// Signs the statement and puts it beside the release. errors: bug: the rebuild differed; io
[[nodiscard]] Status write_rebuild_statement(images::Store& store, const RebuildOutcome& outcome,
                                             const keys::Signer& signer);

}  // namespace weir::builder
