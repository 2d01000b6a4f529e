#include "builder/lock/edge/lock_index.h"

#include <utility>

#include "builder/layers/edge/layer_cache.h"
#include "builder/lock/lock_check.h"
#include "builder/mirror/edge/cached_suites.h"
#include "builder/mirror/edge/sources.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxRecord{4ULL << 10};

// What a record says, and is named after. Another keyring or another builder has to look itself.
struct Record {
  std::string path, text;
};

// errors: as `read_keyring_of`
Result<Record> record_of(const Digest& lock, const std::vector<SuiteSource>& sources,
                         const Cache& cache) {
  std::string text = "weir lock held to its index\n" + lock.string() + "\n";
  for (const auto& source : sources) {
    TRY_ASSIGN(const auto keyring, read_keyring_of(source));
    text += source.label + " " + Digest::of(as_bytes(keyring.bytes())).string() + "\n";
  }
  text += own_build_id() + "\n";
  return Record{cache.path() + "/indexed/" + Digest::of(as_bytes(text)).hex(), std::move(text)};
}

Status write(const Record& record, const Cache& cache) {
  TRY(make_folders(cache.path() + "/indexed"));
  return write_file(record.path, record.text, 0644, Durability::none);
}

bool is_there(const Record& record) {
  const auto text = read_file(record.path, kMaxRecord);
  return text && *text == record.text;
}

Result<IndexVerdict> judge(const LockedImage& image, const Cache& cache, Remembering remembering) {
  auto sources = read_sources(image.manifest, image.folder);
  if (!sources) return IndexVerdict{IndexCheck::absent, std::move(sources).error().message};
  const auto record = record_of(image.lock_digest, *sources, cache);
  if (!record) return IndexVerdict{IndexCheck::absent, record.error().message};
  if (is_there(*record)) return IndexVerdict{IndexCheck::remembered};
  TRY_ASSIGN(auto suites, read_cached_suites(image.manifest, *sources, image.lock, cache));
  if (suites.missing) return IndexVerdict{IndexCheck::absent, std::move(*suites.missing)};
  if (const auto unknown = listed_by_sha512(suites.indices, image.lock)) {
    return IndexVerdict{IndexCheck::absent,
                        *unknown + " is listed by SHA-512 alone, and was not fetched by that here"};
  }
  TRY(check_sources(*sources, image.lock));
  TRY(check_indexed(suites.indices, image.lock));
  if (remembering == Remembering::yes) TRY(write(*record, cache));
  return IndexVerdict{IndexCheck::checked};
}

}  // namespace

Result<IndexVerdict> hold_to_index(const LockedImage& image, const Cache& cache, IndexDemand demand,
                                   Remembering remembering) {
  auto verdict = judge(image, cache, remembering);
  if (!verdict) {
    Error error = std::move(verdict).error();
    error.message += ": " + image.lock_again;
    return tl::unexpected(std::move(error).in(image.lock_path));
  }
  if (verdict->check == IndexCheck::absent && demand == IndexDemand::always) {
    return fail(Errc::not_found,
                image.lock_path + ": cannot be held to the signed index: " + verdict->missing);
  }
  return verdict;
}

Status remember_verdict(const LockedImage& image, const IndexVerdict& verdict, const Cache& cache) {
  if (verdict.check != IndexCheck::checked) return {};
  TRY_ASSIGN(const auto sources, read_sources(image.manifest, image.folder));
  return remember_indexed(image.lock_digest, sources, cache);
}

Status remember_indexed(const Digest& lock_digest, const std::vector<SuiteSource>& sources,
                        const Cache& cache) {
  TRY_ASSIGN(const auto record, record_of(lock_digest, sources, cache));
  return write(record, cache);
}

}  // namespace weir::builder
