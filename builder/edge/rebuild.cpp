#include "builder/edge/rebuild.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "builder/describe.h"
#include "builder/edge/release_input.h"
#include "builder/edge/statements.h"

namespace weir::builder {
namespace {

// Folders of rebuilds that were killed: nobody works at one for a day.
void remove_abandoned(const Cache& cache) {
  namespace fs = std::filesystem;
  const auto now = fs::file_time_type::clock::now();
  std::error_code error;
  for (fs::directory_iterator at(cache.path(), error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    if (!at->path().filename().string().starts_with("rebuild.")) continue;
    std::error_code ignored;
    const auto made = fs::last_write_time(at->path(), ignored);
    if (!ignored && now - made > std::chrono::hours(24)) fs::remove_all(at->path(), ignored);
  }
}

// A folder in the cache that goes with the object.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make(const Cache& cache) {
    remove_abandoned(cache);
    std::string path = cache.path() + "/rebuild.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return fail_errno(Errc::io, errno, path);
    return ScratchFolder(std::move(path));
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace

Result<RebuildPlan> plan_rebuild(const images::Store& store, const images::StoredRelease& stored,
                                 const Cache& cache) {
  const std::string where = "release " + stored.name.string();
  TRY_ASSIGN_IN(auto release, manifests::parse_release(stored.json), where);
  TRY_ASSIGN_IN(const BuildInput input, read_release_input(store, release, cache), where);
  RebuildPlan out{
      std::move(release), Digest::of(as_bytes(stored.json)), input.lock.packages.size(), 0, {}};
  for (const auto& package : input.lock.packages) {
    std::error_code ignored;
    if (std::filesystem::exists(cache.blob_path(package.digest), ignored)) {
      ++out.fetched;
    } else {
      out.to_fetch.value += package.size.value;
    }
  }
  return out;
}

Result<RebuildOutcome> rebuild_release(const images::Store& store,
                                       const images::StoredRelease& stored, const Cache& cache,
                                       const std::vector<std::string>& overrides,
                                       Progress& progress) {
  const std::string where = "release " + stored.name.string();
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(stored.json), where);
  TRY_ASSIGN_IN(BuildInput input, read_release_input(store, release, cache), where);
  input.own_keys = release.scan.own_keys;
  TRY_ASSIGN(const ScratchFolder scratch, ScratchFolder::make(cache));
  TRY_ASSIGN(auto into, images::Store::open_or_create(scratch.path() + "/store"));
  TRY_ASSIGN_IN(const MadeRelease made,
                make_release(input, cache, std::move(into), overrides, progress), where);
  if (made.layers_reused != 0) {
    return fail(Errc::bug, where + ": a rebuild used layers that were built before");
  }
  TRY_ASSIGN(auto differences, rebuild_differences(stored.json, made.json));
  const Digest digest = Digest::of(as_bytes(stored.json)),
               rebuilt = Digest::of(as_bytes(made.json));
  if (differences.empty() && digest != rebuilt) {
    differences.push_back({"(white space)", digest.string(), rebuilt.string()});
  }
  return RebuildOutcome{{stored.name, digest, release.lock_digest, builder_version()},
                        rebuilt,
                        release.builder_version,
                        std::move(differences)};
}

Status write_rebuild_statement(const images::Store& store, const RebuildOutcome& outcome,
                               const keys::Signer& signer) {
  const auto& statement = outcome.statement;
  if (!outcome.differences.empty()) {
    return fail(Errc::bug, "a rebuild that differs is not stated to be the same");
  }
  TRY(write_signed_statement(store, keys::StatementKind::rebuild, statement.release,
                             statement.release_digest, manifests::print(statement), signer));
  return {};
}

}  // namespace weir::builder
