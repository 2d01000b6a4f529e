#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "builder/layers/image_checks.h"
#include "builder/mirror/edge/fetch.h"
#include "builder/mirror/edge/progress.h"
#include "builder/packages/package_declarations.h"
#include "builder/release/build_plan.h"
#include "builder/release/edge/build_input.h"
#include "builder/release/edge/plan_build.h"
#include "images/store/store.h"
#include "keys/signing/minisign.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// A release without its signature.
struct MadeRelease {
  manifests::Release release;
  std::string json;
  std::size_t layers_built = 0, layers_reused = 0;  ///< of packages
  std::chrono::nanoseconds fetching{};              ///< until the last package was there
  Declarations declared{};                          ///< what the packages say of themselves
  std::vector<OrphanScript> orphans{};              ///< programs whose interpreter is not there
  std::vector<std::string> unmade{};                ///< as `ImageSettings::unmade`
  /// "PACKAGE: …": what of packages a node will not have (`LayerFacts::without`)
  std::vector<std::string> without{};
};

/// The part of `build_release` before the signature: all blobs are in the store, also the lock and
/// the manifest, and no release names them yet.
[[nodiscard]] Result<MadeRelease> make_release(const BuildInput& input, const BuildPlan& plan,
                                               const Cache& cache, images::Store& store,
                                               const MirrorRequest& request, Progress& progress);

struct BuildOutcome {
  manifests::Release release;
  Digest digest;                                    ///< of the release document
  std::size_t layers_built = 0, layers_reused = 0;  ///< of packages
  /// What fetching hides of building counts as fetching.
  std::chrono::nanoseconds fetching{}, building{}, signing{};
  IndexVerdict index;
  std::vector<OrphanScript> orphans;   ///< programs whose interpreter is not in the image
  std::vector<std::string> unmade;     ///< what scripts would have made and Weir could not, and why
  std::vector<std::string> without{};  ///< `MadeRelease::without`
};

/// Whether another release of the same name, channel and version, or another key's signature over
/// the same one, may be overwritten (builder/release/edge/taken_version.h).
enum class Replacing : std::uint8_t { no, yes };

/// Carries a plan out: fetches what is missing, makes the layers that the store lacks, checks the
/// image as a whole, signs its release and stores it. A release appears after all of its blobs, or
/// not at all.
///
/// plan        of the same input, cache and store
/// signer      absent: the release document is kept apart, unsigned
///             (Store::write_unsigned)
/// request     where files come from; mirrors are looked up only where a package has to be fetched
/// errors      of every step, naming package, file or field; busy: the version is taken
[[nodiscard]] Result<BuildOutcome> build_release(const BuildInput& input, const PlannedBuild& plan,
                                                 const Cache& cache, const std::string& store_path,
                                                 const std::optional<keys::Signer>& signer,
                                                 const MirrorRequest& request, Progress& progress,
                                                 Replacing replacing);

}  // namespace weir::builder
