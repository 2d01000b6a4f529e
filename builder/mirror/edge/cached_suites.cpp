#include "builder/mirror/edge/cached_suites.h"

#include <algorithm>
#include <utility>

#include "builder/mirror/edge/sources.h"
#include "builder/mirror/edge/suite_files.h"

namespace weir::builder {
namespace {

// A blob that nobody is about to fetch again, so it is not removed where it is another.
Result<std::string> read_kept(const Cache& cache, const Digest& digest, ByteCount limit) {
  const std::string path = cache.blob_path(digest);
  TRY_ASSIGN(std::string out, read_file(path, limit));
  if (Digest::of(as_bytes(out)) != digest) {
    return fail(Errc::integrity, path + " was damaged or changed");
  }
  return out;
}

// One of the forms that the cache has; not_found: none.
Result<std::pair<const IndexForm*, std::string>> read_kept_form(const Cache& cache,
                                                                const WantedIndex& wanted) {
  for (const auto& form : wanted.forms) {
    const auto digest = digest_of(cache, form.file);
    if (!digest) continue;
    auto bytes = read_kept(cache, *digest, form.file.size);
    if (!bytes && bytes.error().code == Errc::not_found) continue;
    TRY(bytes);
    return std::pair(&form, std::move(*bytes));
  }
  return fail(Errc::not_found,
              wanted.forms.front().path + " is not in the cache, where weir-builder lock keeps it");
}

// The signed files of a source of a lock; not_found: the cache does not have them.
Result<SignedFiles> read_kept_signed(const manifests::LockedSource& source, const Cache& cache) {
  SignedFiles out;
  if (source.signature_digest) out.signature.emplace();
  const auto read = [&](const Digest& digest, const std::string& name) -> Result<std::string> {
    auto text = read_kept(cache, digest, kMaxInRelease);
    if (!text && text.error().code == Errc::not_found) {
      return fail(Errc::not_found, name + " is not in the cache, where weir-builder lock keeps it");
    }
    TRY_IN(text, name);
    return text;
  };
  TRY_ASSIGN(out.release, read(source.inrelease_digest, name_of(out)));
  if (source.signature_digest) {
    TRY_ASSIGN(*out.signature, read(*source.signature_digest, "Release.gpg"));
  }
  return out;
}

// Reads what a source of a lock stands for. Where it cannot be read, says why in `missing`.
Status read_source(const manifests::ImageManifest& manifest, const SuiteSource& source,
                   const manifests::LockedSource& locked, const Cache& cache, CachedSuites& out) {
  const auto is_missing = [&](const auto& result) {
    const bool gone = !result && result.error().code == Errc::not_found;
    if (gone) out.missing = result.error().message;
    return gone;
  };
  const auto keyring = read_keyring_of(source);
  if (is_missing(keyring)) return {};
  TRY(keyring);
  const auto files = read_kept_signed(locked, cache);
  if (is_missing(files)) return {};
  TRY(files);
  const std::string name = name_of(*files);
  auto text = verify(*files, *keyring);
  if (is_missing(text)) return {};
  TRY_IN(text, name);
  const auto& signers = text->signers();
  if (std::find(signers.begin(), signers.end(), locked.signer) == signers.end()) {
    return fail(Errc::unauthorized, name + ": is signed by " + signers.front() +
                                        ", and the lock says " + locked.signer);
  }
  TRY_ASSIGN_IN(const auto index, parse_suite_index(*text), name);
  if (index.date != locked.date) {
    return fail(Errc::integrity,
                name + ": is dated " + index.date + ", and the lock says " + locked.date);
  }
  if (!locked.expired.empty() && locked.expired != index.valid_until) {
    return fail(Errc::integrity, name + ": is valid until " + index.valid_until +
                                     ", and the lock says " + locked.expired);
  }
  TRY_ASSIGN(const auto wanted, wanted_indices(index, source, manifest.architecture));
  for (const auto& one : wanted) {
    auto kept = read_kept_form(cache, one);
    if (is_missing(kept)) return {};
    TRY_IN(kept, one.title);
    TRY_ASSIGN_IN(auto parsed,
                  parse_index(one, *kept->first, std::move(kept->second), source,
                              index.not_automatic, manifest.architecture, cache),
                  one.title);
    out.indices.push_back(std::move(parsed));
  }
  return {};
}

}  // namespace

Result<CachedSuites> read_cached_suites(const manifests::ImageManifest& manifest,
                                        const std::vector<SuiteSource>& sources,
                                        const manifests::Lock& lock, const Cache& cache) {
  CachedSuites out;
  for (const auto& locked : lock.sources) {
    const std::string where = "suite " + locked.suite;
    const auto source = std::find_if(sources.begin(), sources.end(),
                                     [&](const auto& one) { return one.label == locked.suite; });
    if (source == sources.end()) continue;
    TRY_IN(read_source(manifest, *source, locked, cache, out), where);
    if (out.missing) return CachedSuites{{}, where + ": " + *out.missing};
  }
  return out;
}

}  // namespace weir::builder
