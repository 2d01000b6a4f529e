#include "builder/lock/edge/release_lock.h"

#include <utility>

namespace weir::builder {
namespace {

constexpr ByteCount kLargestManifest{1ULL << 20};
constexpr ByteCount kLargestLock{64ULL << 20};

Result<std::optional<std::string>> find(const images::Store& store, const Digest& digest,
                                        ByteCount limit) {
  auto text = store.read_document(digest, limit);
  if (!text && text.error().code == Errc::not_found) return std::nullopt;
  TRY(text);
  return std::optional(std::move(*text));
}

tl::unexpected<Error> missing(const images::Store& store, const Digest& digest,
                              const std::string& what) {
  return fail(Errc::not_found, "its " + what + " (" + digest.string() + ") is not in the store " +
                                   store.path() +
                                   ": it was built before releases brought them along; build it "
                                   "again");
}

}  // namespace

Result<std::optional<ReleaseLock>> find_release_lock(const images::Store& store,
                                                     const manifests::Release& release) {
  TRY_ASSIGN_IN(auto text, find(store, release.lock_digest, kLargestLock), "its lock");
  if (!text) return std::nullopt;
  TRY_ASSIGN_IN(auto lock, manifests::parse_lock(*text), "its lock");
  return std::optional(ReleaseLock{std::move(lock), std::move(*text)});
}

Result<ReleaseLock> read_release_lock(const images::Store& store,
                                      const manifests::Release& release) {
  TRY_ASSIGN(auto lock, find_release_lock(store, release));
  if (!lock) return missing(store, release.lock_digest, "lock");
  return std::move(*lock);
}

Result<std::optional<ReleaseManifest>> find_release_manifest(const images::Store& store,
                                                             const manifests::Lock& lock) {
  TRY_ASSIGN_IN(auto text, find(store, lock.manifest_digest, kLargestManifest),
                "its image manifest");
  if (!text) return std::nullopt;
  TRY_ASSIGN_IN(auto manifest, manifests::parse_image_manifest(*text), "its image manifest");
  return std::optional(ReleaseManifest{std::move(manifest), std::move(*text)});
}

Result<ReleaseManifest> read_release_manifest(const images::Store& store,
                                              const manifests::Lock& lock) {
  TRY_ASSIGN(auto manifest, find_release_manifest(store, lock));
  if (!manifest) return missing(store, lock.manifest_digest, "image manifest");
  return std::move(*manifest);
}

}  // namespace weir::builder
