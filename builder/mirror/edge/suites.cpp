#include "builder/mirror/edge/suites.h"

#include <algorithm>

#include "builder/mirror/address.h"
#include "builder/mirror/edge/download_text.h"
#include "builder/mirror/edge/sources.h"
#include "builder/mirror/edge/suite_files.h"
#include "builder/mirror/index_choice.h"
#include "builder/mirror/suite_index.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxSignature{1ULL << 20};

// What a suite turned out to be, once its signed files are sound.
struct FetchedSuite {
  SignedFiles files;
  std::vector<std::string> signers;
  SuiteIndex index;
  std::size_t place = 0;  // of the mirror that had it
  bool expired = false;
};

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// An index that may have expired is judged as on its last day.
std::int64_t judged_at(const SuiteIndex& index, const std::string& label, const Timeliness& time) {
  if (!has(time.accept_expired, label)) return time.now;
  return std::min(time.now, index.valid_until_unix.value_or(time.now));
}

// From the mirrors in turn; what one of them damaged or kept for too long is worth another attempt.
Result<FetchedSuite> fetch_suite(const std::string& label, const std::vector<std::string>& folders,
                                 const Keyring& keyring, const Timeliness& time,
                                 const DownloadPolicy& policy, const DownloadObserver& observer) {
  FetchedSuite out;
  const std::string what = "suite " + label;
  const auto judge = [&]() -> Status {
    TRY_ASSIGN(const auto text, verify(out.files, keyring));
    TRY_ASSIGN(out.index, parse_suite_index(text));
    out.signers = text.signers();
    const std::int64_t at = judged_at(out.index, label, time);
    out.expired = at < time.now;
    return check_suite_index(out.index, label, at);
  };
  const auto named = [&](const char* name) {
    std::vector<std::string> urls;
    urls.reserve(folders.size());
    for (const auto& folder : folders) urls.push_back(folder + name);
    return urls;
  };
  auto fetched = download_text(what, named("InRelease"), kMaxInRelease, policy, observer,
                               [&](const DownloadedText& file) {
                                 out.files = {file.text, std::nullopt};
                                 return judge();
                               });
  if (!fetched && fetched.error().code == Errc::not_found) {
    const Error missing = fetched.error();
    fetched = download_text(what, named("Release"), kMaxInRelease, policy, observer,
                            [&](const DownloadedText& file) -> Status {
                              const auto beside = folders[file.place] + "Release.gpg";
                              const auto signature = download_text("Release.gpg", {beside},
                                                                   kMaxSignature, policy, observer);
                              if (!signature && signature.error().code == Errc::not_found) {
                                return fail(Errc::unauthorized,
                                            "its Release is not signed: the archive has neither "
                                            "InRelease nor Release.gpg");
                              }
                              TRY(signature);
                              out.files = {file.text, signature->text};
                              return judge();
                            });
    if (!fetched && fetched.error().code == Errc::not_found) return tl::unexpected(missing);
  }
  TRY(fetched);
  out.place = fetched->place;
  return out;
}

// Who signs from here on: whoever did, if there still is such a signature.
std::string signer_of(const std::vector<std::string>& signers, const SuiteSource& source,
                      const std::vector<manifests::LockedSource>& before) {
  for (const auto& old : before) {
    if (old.suite != source.label) continue;
    if (std::find(signers.begin(), signers.end(), old.signer) != signers.end()) return old.signer;
  }
  return signers.front();
}

Status keep(const Cache& cache, std::string_view bytes) {
  const Digest digest = Digest::of(as_bytes(bytes));
  if (FetchedBlob::open(cache, digest, ByteCount{bytes.size()})) return {};
  return cache.put(digest, bytes);
}

// One Packages file on its way.
struct Pending {
  const SuiteSource* source = nullptr;
  std::vector<std::string> folders;  // URLs of the suite's folder, in the order of trial
  bool by_hash = false, not_automatic = false;
  WantedIndex wanted;
  std::size_t form = 0;  // that is tried

  [[nodiscard]] const IndexForm& current() const { return wanted.forms[form]; }
  [[nodiscard]] std::string where() const {
    return "suite " + source->label + ": " + current().path;
  }
};

std::vector<std::string> urls_of(const Pending& pending) {
  std::vector<std::string> out;
  const auto places = places_of(pending.current(), pending.by_hash);
  for (const auto& place : places) {
    for (const auto& folder : pending.folders) out.push_back(folder + encode_path(place));
  }
  return out;
}

// A file that only SHA-512 is known of has no name in the cache until it is here.
Status fetch_unnamed(const Pending& pending, const Cache& cache, const DownloadPolicy& policy,
                     const DownloadObserver& observer) {
  const IndexFile& file = pending.current().file;
  if (const auto known = digest_of(cache, file)) {
    if (FetchedBlob::open(cache, *known, file.size)) return {};
  }
  const auto sound = [&](const DownloadedText& one) {
    return check_bytes(one.text, file, "the mirror serves other bytes than its signed index says");
  };
  TRY_ASSIGN(const auto fetched,
             download_text(pending.where(), urls_of(pending), file.size, policy, observer, sound));
  const Digest digest = Digest::of(as_bytes(fetched.text));
  TRY(cache.put(digest, fetched.text));
  return remember_digest(cache, file, digest);
}

// One file, in the first form that a mirror has.
Status fetch_alone(Pending& pending, const Cache& cache, const DownloadPolicy& policy,
                   const DownloadObserver& observer) {
  for (;; ++pending.form) {
    const IndexFile& file = pending.current().file;
    Status status;
    if (!file.digest) {
      status = fetch_unnamed(pending, cache, policy, observer);
    } else if (!FetchedBlob::open(cache, *file.digest, file.size)) {
      status = download({{pending.where(), urls_of(pending), *file.digest, file.size}}, cache,
                        policy, observer);
    }
    const bool next = !status && status.error().code == Errc::not_found &&
                      pending.form + 1 < pending.wanted.forms.size();
    if (!next) return status;
  }
}

// Brings the files into the cache: all at once, and where one is not there in its best form, each
// in the best that is.
Status fetch_indices(std::vector<Pending>& all, const Cache& cache, const DownloadPolicy& policy,
                     const DownloadObserver& observer) {
  std::vector<Download> downloads;
  for (const auto& pending : all) {
    const IndexFile& file = pending.current().file;
    if (!file.digest || FetchedBlob::open(cache, *file.digest, file.size)) continue;
    downloads.push_back({pending.where(), urls_of(pending), *file.digest, file.size});
  }
  Status status = download(downloads, cache, policy, observer);
  if (!status && status.error().code != Errc::not_found) return status;
  for (auto& pending : all) TRY(fetch_alone(pending, cache, policy, observer));
  return {};
}

Result<PackageIndex> read_index(const Pending& pending, const Cache& cache,
                                const std::string& architecture) {
  const IndexForm& form = pending.current();
  TRY_ASSIGN(const Digest digest, digest_of(cache, form.file));
  TRY_ASSIGN(auto bytes, read_blob(cache, digest, form.file.size));
  return parse_index(pending.wanted, form, std::move(bytes), *pending.source, pending.not_automatic,
                     architecture, cache);
}

}  // namespace

Result<Suites> fetch_suites(const manifests::ImageManifest& manifest,
                            const std::vector<SuiteSource>& sources, const Mirrors& mirrors,
                            const Cache& cache, const std::vector<manifests::LockedSource>& before,
                            const Timeliness& time, const DownloadObserver& observer) {
  for (const auto& label : time.accept_expired) {
    TRY(check_names_suite("--accept-expired", label, sources));
  }
  TRY(mirrors.check_known(sources));
  Suites out;
  std::vector<Pending> pending;
  for (const auto& source : sources) {
    const std::string where = "suite " + source.label;
    TRY_ASSIGN_IN(const auto keyring, read_keyring_of(source), where);
    TRY_ASSIGN(auto folders, mirrors.bases_of(source.label));
    for (auto& folder : folders) folder += "/" + encode_path(suite_folder(source.suite));
    TRY_ASSIGN(const auto suite,
               fetch_suite(source.label, folders, keyring, time, mirrors.policy(), observer));
    const SuiteIndex& index = suite.index;
    if (const auto note = other_name(index, source.suite)) {
      out.notes.push_back(where + ": " + name_of(suite.files) + " " + *note);
    }
    TRY(keep(cache, suite.files.release));
    manifests::LockedSource locked{source.label, Digest::of(as_bytes(suite.files.release)),
                                   index.date, signer_of(suite.signers, source, before)};
    if (suite.files.signature) {
      TRY(keep(cache, *suite.files.signature));
      locked.signature_digest = Digest::of(as_bytes(*suite.files.signature));
    }
    locked.vendor = vendor_of(source, index.origin);
    if (suite.expired) {
      locked.expired = index.valid_until;
      out.notes.push_back(where + ": " + name_of(suite.files) + " was valid until " +
                          index.valid_until + ", and --accept-expired takes it");
    }
    out.sources.push_back(std::move(locked));
    out.newest_date = std::max(out.newest_date, index.date_unix);
    TRY_ASSIGN_IN(auto wanted, wanted_indices(index, source, manifest.architecture), where);
    // The mirror that had the signed file has its indices.
    std::rotate(folders.begin(), folders.begin() + static_cast<std::ptrdiff_t>(suite.place),
                folders.end());
    for (auto& one : wanted) {
      pending.push_back({&source, folders, index.by_hash, index.not_automatic, std::move(one)});
    }
  }
  TRY(fetch_indices(pending, cache, mirrors.policy(), observer));
  for (const auto& one : pending) {
    const std::string where = "suite " + one.source->label + ": " + one.wanted.title;
    TRY_ASSIGN_IN(auto index, read_index(one, cache, manifest.architecture), where);
    for (const auto& note : index.notes()) out.notes.push_back(where + ": " + note);
    out.indices.push_back(std::move(index));
  }
  return out;
}

}  // namespace weir::builder
