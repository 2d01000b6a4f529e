#pragma once

#include <optional>
#include <string>

#include "images/store/store.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

/// What a stored release was made from: its lock, and the lock's manifest, which lie in the store
/// by digest. Releases of older builders did not bring them along.
namespace weir::builder {

struct ReleaseLock {
  manifests::Lock lock;
  std::string text;
};

struct ReleaseManifest {
  manifests::ImageManifest manifest;
  std::string text;
};

/// returns  absent: the store does not have it
/// errors   integrity: it is damaged; invalid_input: it cannot be read; io. Each names the lock
[[nodiscard]] Result<std::optional<ReleaseLock>> find_release_lock(
    const images::Store& store, const manifests::Release& release);
/// The same. errors: not_found: the store does not have it: says what to do; as above
[[nodiscard]] Result<ReleaseLock> read_release_lock(const images::Store& store,
                                                    const manifests::Release& release);

/// The manifest that a lock was made of; results as above.
[[nodiscard]] Result<std::optional<ReleaseManifest>> find_release_manifest(
    const images::Store& store, const manifests::Lock& lock);
[[nodiscard]] Result<ReleaseManifest> read_release_manifest(const images::Store& store,
                                                            const manifests::Lock& lock);

}  // namespace weir::builder
