#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/lock/edge/lock_index.h"
#include "builder/mirror/edge/fetch.h"
#include "builder/mirror/edge/progress.h"
#include "builder/packages/package_declarations.h"
#include "builder/secrets/secret_scan.h"
#include "images/store/edge/store.h"
#include "keys/signing/minisign.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// A manifest and its lock, read and found to belong together.
struct BuildInput {
  std::string manifest_path, lock_path;
  manifests::ImageManifest manifest;
  manifests::Lock lock;
  Digest lock_digest;  ///< of the lock document, byte for byte
  std::string manifest_text, lock_text;
  std::shared_ptr<const SecretScanner> scanner{};  ///< none: the rules alone
  /// What the release says of a search for the fleet's own keys: the scanner's word, or, in a
  /// rebuild, which does not have those keys, the word of who built it.
  std::optional<manifests::OwnKeys> own_keys{};
  std::string keyring{};     ///< the manifest's, absolute; relative: nobody knows to what
  std::string lock_again{};  ///< what to do about a lock that does not hold
};

/// path     a manifest, whose lock lies beside it (NAME.lock.json), or a lock, whose manifest does
/// lock     where a manifest's lock is instead; empty: beside it
/// errors   not_found: one of the two is missing: says to lock; integrity: the manifest changed
/// since
///          it was locked, or it was locked for another compressor; as the parsers
[[nodiscard]] Result<BuildInput> read_build_input(const std::string& path,
                                                  const std::string& lock = "");

/// What there is to do for one package.
struct PlannedLayer {
  const manifests::LockedPackage* package = nullptr;
  Digest key;
  bool cached = false;   ///< its layer is in the store, whole
  bool fetched = false;  ///< its .deb is in the cache
};

/// What building would do; nothing is changed by asking. In the order of the lock.
/// errors: io
[[nodiscard]] Result<std::vector<PlannedLayer>> plan_build(const BuildInput& input,
                                                           const Cache& cache,
                                                           const std::string& store_path);

/// A release without its signature.
struct MadeRelease {
  manifests::Release release;
  std::string json;
  std::size_t layers_built = 0, layers_reused = 0;  ///< of packages
  std::chrono::nanoseconds fetching{};              ///< until the last package was there
  Declarations declared{};                          ///< what the packages say of themselves
};

/// The part of `build_release` before the signature: all blobs are in the store, also the lock and
/// the manifest, and no release names them yet.
[[nodiscard]] Result<MadeRelease> make_release(const BuildInput& input, const Cache& cache,
                                               images::Store store,
                                               const std::vector<std::string>& overrides,
                                               Progress& progress);

struct BuildOutcome {
  manifests::Release release;
  Digest digest;                                    ///< of the release document
  std::size_t layers_built = 0, layers_reused = 0;  ///< of packages
  /// What fetching hides of building counts as fetching.
  std::chrono::nanoseconds fetching{}, building{}, signing{};
  IndexVerdict index;
};

/// Whether another release of the same name, channel and version may be overwritten
/// (builder/release/edge/taken_version.h).
enum class Replacing : std::uint8_t { no, yes };

/// Holds the lock to its signed indices, fetches what is missing, makes the layers that the store
/// lacks, checks the image as a whole, signs its release and stores it. A release appears after all
/// of its blobs, or not at all.
///
/// signer      absent: the release document is kept apart, unsigned
/// (images/store/edge/signatures.h) overrides   `--mirror` arguments; mirrors are looked up only
/// where a package has to be fetched errors      of every step, naming package, file or field;
/// busy: the version is taken
[[nodiscard]] Result<BuildOutcome> build_release(const BuildInput& input, const Cache& cache,
                                                 const std::string& store_path,
                                                 const std::optional<keys::Signer>& signer,
                                                 const std::vector<std::string>& overrides,
                                                 Progress& progress, Replacing replacing,
                                                 IndexDemand demand);

}  // namespace weir::builder
