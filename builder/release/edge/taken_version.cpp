#include "builder/release/edge/taken_version.h"

#include "builder/release/describe.h"

namespace weir::builder {
namespace {

enum class Taken : std::uint8_t {
  same,      // the document itself
  searched,  // another one, of the same lock and image
  other,
};

struct Stored {
  images::StoredRelease files;
  manifests::Release release;
};

std::optional<Stored> stored_of(const images::Store& store, const ReleaseName& name) {
  auto files = store.read_release(name);
  if (!files) return std::nullopt;
  auto release = manifests::parse_release(files->json);
  if (!release) return std::nullopt;
  return Stored{std::move(*files), std::move(*release)};
}

// What is to be built, beside what is stored.
Taken known_of(const Stored& stored, const BuildInput& input) {
  if (stored.release.lock_digest != input.lock_digest) return Taken::other;
  return stored.release.scan.own_keys == input.own_keys ? Taken::same : Taken::searched;
}

Status signed_by(const Stored& stored, const std::optional<keys::KeyId>& signer) {
  if (!signer) return {};
  const auto before = keys::signer_of(stored.files.signature);
  if (!before || *before == *signer) return {};
  const std::string first = keys::print(*before), name = stored.release.name.string();
  return fail(Errc::busy, "release " + name + ": key " + first +
                              " has signed this very document in this store, and whoever trusts "
                              "that key alone would refuse it with the signature of key " +
                              keys::print(*signer) +
                              " in its place: to have both, weir-builder export-digest " + name +
                              ", weir-keys sign-digest, weir-builder attach-signature; --replace, "
                              "to take that of key " +
                              first + " away");
}

Status refuse(const ReleaseName& name, const manifests::ReleaseTerms& terms, Taken taken) {
  const std::string version = std::to_string(terms.version);
  const std::string higher = std::to_string(terms.version + 1);
  // The document states the search, and so is another one, of the same lock and image.
  const std::string instead = taken == Taken::searched
                                  ? " (of the same image, but searched for other keys of the fleet)"
                                  : "";
  const std::string way = taken == Taken::searched ? "build with the --secrets of then, or " : "";
  return fail(Errc::busy, "release " + name.string() + ": version " + version + " of channel " +
                              terms.channel.string() + " is another document in this store" +
                              instead + ", and whoever has seen that one refuses this: " + way +
                              "set release.version to " + higher +
                              " or higher in the image manifest and lock again; --replace, if "
                              "nobody has seen it");
}

Status check(const Stored& stored, const manifests::ReleaseTerms& terms, Taken taken,
             const std::optional<keys::KeyId>& signer) {
  if (taken == Taken::same) return signed_by(stored, signer);
  const auto& there = stored.release.terms;
  if (!there || there->channel != terms.channel || there->version != terms.version) return {};
  return refuse(stored.release.name, terms, taken);
}

}  // namespace

Status check_version_is_free(const images::Store& store, const manifests::Release& release,
                             const Digest& document, const std::optional<keys::KeyId>& signer) {
  const auto stored = stored_of(store, release.name);
  if (!stored || !release.terms) return {};
  manifests::Release searched = stored->release;
  searched.scan.own_keys = release.scan.own_keys;
  const Taken taken = Digest::of(as_bytes(stored->files.json)) == document ? Taken::same
                      : searched == release                                ? Taken::searched
                                                                           : Taken::other;
  return check(*stored, *release.terms, taken, signer);
}

Status check_version_is_free(const images::Store& store, const BuildInput& input,
                             const std::optional<keys::KeyId>& signer) {
  const auto stored = stored_of(store, input.lock.name);
  if (!stored) return {};
  return check(*stored, terms_of(input.manifest.release, input.lock), known_of(*stored, input),
               signer);
}

std::optional<keys::KeyId> signer_in(const images::Store& store, const BuildInput& input) {
  const auto stored = stored_of(store, input.lock.name);
  if (!stored || known_of(*stored, input) != Taken::same) return std::nullopt;
  const auto signer = keys::signer_of(stored->files.signature);
  return signer ? std::optional(*signer) : std::nullopt;
}

}  // namespace weir::builder
