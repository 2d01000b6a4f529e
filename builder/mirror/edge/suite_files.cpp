#include "builder/mirror/edge/suite_files.h"

#include "builder/mirror/edge/inrelease.h"
#include "builder/mirror/unpack.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxPackages{1ULL << 30};

// Which blob a file without SHA-256 turned out to be.
std::string alias_path(const Cache& cache, const IndexFile& file) {
  return cache.path() + "/sha512/" + file.sha512;
}

}  // namespace

std::string name_of(const SignedFiles& files) {
  return files.signature ? "Release" : "InRelease";
}

Result<SignedText> verify(const SignedFiles& files, const Keyring& keyring) {
  if (files.signature) return verify_release(files.release, *files.signature, keyring);
  return verify_inrelease(files.release, keyring);
}

Status remember_digest(const Cache& cache, const IndexFile& file, const Digest& digest) {
  TRY(make_folders(cache.path() + "/sha512"));
  return write_file(alias_path(cache, file), digest.hex(), 0644, Durability::none);
}

Result<Digest> digest_of(const Cache& cache, const IndexFile& file) {
  if (file.digest) return *file.digest;
  TRY_ASSIGN(const auto text, read_file(alias_path(cache, file), ByteCount{64}));
  return Digest::parse(text);
}

Status check_bytes(std::string_view bytes, const IndexFile& file, const std::string& problem) {
  const bool same = bytes.size() == file.size.value &&
                    (!file.digest || Digest::of(as_bytes(bytes)) == *file.digest) &&
                    (file.sha512.empty() || sha512_of(bytes) == file.sha512);
  if (same) return {};
  return fail(Errc::integrity, problem);
}

Result<PackageIndex> parse_index(const WantedIndex& wanted, const IndexForm& form,
                                 std::string bytes, const SuiteSource& source, bool not_automatic,
                                 const std::string& architecture, const Cache& cache) {
  TRY(check_bytes(bytes, form.file, form.path + " is not what the signed index says"));
  const bool packed = !form.path.ends_with("Packages");
  if (packed) {
    TRY_ASSIGN(bytes, unpack_index(bytes, wanted.plain ? wanted.plain->size : kMaxPackages));
    if (wanted.plain) {
      TRY(check_bytes(bytes, *wanted.plain, form.path + " does not unpack to the signed Packages"));
    }
  }
  TRY_ASSIGN(auto out,
             PackageIndex::parse(std::move(bytes), source.label, not_automatic, architecture));
  out.settle([&](std::string_view sha512) -> std::optional<Digest> {
    const auto known = digest_of(cache, IndexFile{std::nullopt, std::string(sha512), {}});
    return known ? std::optional(*known) : std::nullopt;
  });
  return out;
}

}  // namespace weir::builder
