#include "builder/lock/edge/lock_index.h"

#include <utility>

#include "builder/layers/edge/layer_cache.h"
#include "builder/lock/lock_check.h"
#include "builder/mirror/edge/suites.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxKeyring{64ULL << 20};
constexpr ByteCount kMaxRecord{4ULL << 10};

// What a record says, and is named after. Another keyring or another builder has to look itself.
struct Record {
  std::string path, text;
};

Record record_of(const Digest& lock, std::string_view keyring, const Cache& cache) {
  std::string text = "weir lock held to its index\n" + lock.string() + "\n" +
                     Digest::of(as_bytes(keyring)).string() + "\n" + own_build_id() + "\n";
  return {cache.path() + "/indexed/" + Digest::of(as_bytes(text)).hex(), std::move(text)};
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
  if (!image.keyring.starts_with('/')) {
    return IndexVerdict{IndexCheck::absent, "keyring " + image.keyring + ": is of another folder"};
  }
  const auto keyring = read_file(image.keyring, kMaxKeyring);
  if (!keyring) return IndexVerdict{IndexCheck::absent, "keyring " + keyring.error().message};
  const Record record = record_of(image.lock_digest, *keyring, cache);
  if (is_there(record)) return IndexVerdict{IndexCheck::remembered};
  TRY_ASSIGN(auto suites, read_cached_suites(image.manifest, image.lock, image.keyring, cache));
  if (suites.missing) return IndexVerdict{IndexCheck::absent, std::move(*suites.missing)};
  TRY(check_sources(image.manifest.sources.suites, image.lock));
  TRY(check_indexed(suites.indices, image.lock));
  if (remembering == Remembering::yes) TRY(write(record, cache));
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
  return remember_indexed(image.lock_digest, image.keyring, cache);
}

Status remember_indexed(const Digest& lock_digest, const std::string& keyring, const Cache& cache) {
  TRY_ASSIGN(const std::string bytes, read_file(keyring, kMaxKeyring));
  return write(record_of(lock_digest, bytes, cache), cache);
}

}  // namespace weir::builder
