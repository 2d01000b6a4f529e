#include "builder/lock/edge/make_lock.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "builder/dkms/edge/compile.h"
#include "builder/kernel/edge/module_files.h"
#include "builder/kernel/module_signing.h"
#include "builder/layers/baked_services.h"
#include "builder/layers/edge/node_programs.h"
#include "builder/lock/edge/boot_stub.h"
#include "builder/lock/edge/lock_index.h"
#include "builder/lock/edge/locked_image.h"
#include "builder/lock/edge/reviewed_lists.h"
#include "builder/lock/lock_check.h"
#include "builder/lock/lock_version.h"
#include "builder/lock/module_build.h"
#include "builder/lock/reviewed_scripts.h"
#include "builder/lock/solver.h"
#include "builder/lock/stand_ins.h"
#include "builder/lock/system_accounts.h"
#include "builder/mirror/edge/fetch.h"
#include "builder/mirror/edge/package_digests.h"
#include "builder/mirror/edge/progress.h"
#include "builder/mirror/edge/sources.h"
#include "builder/mirror/edge/suites.h"
#include "images/formats/layer.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/paths.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxLock{64ULL << 20};
constexpr ByteCount kMaxCertificate{64ULL << 10};

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

// The lock that stands there. One that cannot be read is no leave to forget what it guards against.
Result<std::optional<manifests::Lock>> read_before(const LockRequest& request) {
  const auto text = read_file(request.out, kMaxLock);
  if (!text && text.error().code == Errc::not_found) {
    if (!request.updates && !request.check) return std::nullopt;
    return fail(Errc::not_found, request.out + ": no lock yet: run weir-builder lock " +
                                     shell_word(request.manifest));
  }
  TRY(text);
  TRY_ASSIGN_IN(auto lock, manifests::parse_lock(*text), request.out);
  return std::optional(std::move(lock));
}

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<std::vector<manifests::LockedProgram>> programs_of(
    const manifests::ImageManifest& manifest, const LockRequest& request, const Cache& cache,
    const Kept& kept, const std::optional<manifests::Lock>& before) {
  TRY_ASSIGN(const auto folder, node_program_folder(manifest, request.manifest));
  TRY_ASSIGN_IN(const auto architecture, manifests::parse_architecture(manifest.architecture),
                request.manifest + ": architecture");
  TRY_ASSIGN(auto programs, lock_programs(folder, architecture, cache));
  TRY_ASSIGN(const auto stub, lock_stub(architecture, cache, before));
  if (stub) programs.push_back(*stub);
  for (auto& program : programs) {
    for (const auto& stays : kept.programs) {
      if (stays.name == program.name) program = stays;
    }
  }
  return programs;
}

// A package that only a module names would not come into the image.
Status check_module_packages(const manifests::ImageManifest& manifest,
                             const std::vector<manifests::LockedPackage>& packages) {
  for (const auto& [name, source] : manifest.module_sources) {
    const auto is_it = [&wanted = source.package](const auto& one) { return one.name == wanted; };
    if (source.package.empty() || std::any_of(packages.begin(), packages.end(), is_it)) continue;
    return fail(Errc::not_found, "modules: " + name + " is to come from package " + source.package +
                                     ", which is not in the image: add it to `packages`");
  }
  return {};
}

// Whether what is compiled is a DKMS package: only its files show that, so it is fetched now.
Status check_dkms_packages(const manifests::ImageManifest& manifest,
                           const manifests::LockedModuleBuild& build, const Mirrors& mirrors,
                           const Cache& cache, Progress& progress) {
  std::vector<manifests::LockedPackage> sources, missing;
  for (const auto& package : build.packages) {
    if (!std::binary_search(build.sources.begin(), build.sources.end(), package.name)) continue;
    sources.push_back(package);
    if (!is_cached(cache, package)) missing.push_back(package);
  }
  if (!missing.empty()) {
    progress.step("fetching DKMS packages");
    TRY(fetch_packages(missing, mirrors, cache, progress.download_observer(), [](std::size_t) {}));
  }
  for (const auto& package : sources) {
    Status is_one = check_is_dkms(package, cache);
    if (is_one) continue;
    if (is_one.error().code != Errc::invalid_input) return is_one;
    return fail(Errc::invalid_input, "modules: " + module_compiled_from(manifest, package.name) +
                                         " is to be compiled from " + package.name + " " +
                                         package.version + ", which " + is_one.error().message);
  }
  return {};
}

// The manifest is read again for its lines: who is made, only now is known.
Status check_users_of_services(const std::string& text, const std::string& path,
                               const manifests::ImageManifest& manifest,
                               const std::vector<manifests::LockedUser>& users) {
  if (manifest.services.empty()) return {};
  TRY_ASSIGN(const auto document, manifests::parse_yaml(text, path));
  TRY_ASSIGN(const auto services, manifests::YamlField::root(document, path).at("services"));
  return check_service_users(services, manifest.services, manifest.users, users);
}

// The certificate goes into the lock, so that whoever has that can tell whose signatures count.
Result<std::string> read_signer(const manifests::ImageManifest& manifest,
                                const std::string& manifest_path) {
  if (manifest.module_signer.empty()) return std::string();
  const std::string path = path_at(folder_of(manifest_path), manifest.module_signer);
  TRY_ASSIGN(const std::string text, read_file(path, kMaxCertificate));
  TRY_ASSIGN_IN(const std::string certificate, read_signing_certificate(text), path);
  return base64_of(as_bytes(certificate));
}

}  // namespace

Result<LockOutcome> make_lock(const LockRequest& request) {
  TRY_ASSIGN(const auto text, read_manifest_text(request.manifest));
  TRY_ASSIGN(const auto written, manifests::parse_image_manifest(text, request.manifest));
  TRY_ASSIGN(const auto lists, read_reviewed_lists(written, request.manifest));
  auto manifest = manifests::with_reviewed(written, lists);
  TRY_ASSIGN(auto before, read_before(request));
  Kept kept;
  if (before && request.updates && !request.updates->empty()) {
    TRY_ASSIGN(kept, keep_all_but(*request.updates, *before, manifest));
  }
  TRY_ASSIGN_IN(const auto sources, read_sources(manifest, absolute_folder_of(request.manifest)),
                request.manifest);
  TRY_ASSIGN(const auto mirrors, read_mirrors(sources, manifest.architecture, request.mirrors));
  TRY_ASSIGN(const auto cache, Cache::open_or_create(request.cache));
  TRY_ASSIGN(auto programs, programs_of(manifest, request, cache, kept, before));

  TRY_ASSIGN(auto modules, lock_modules(manifest, request.manifest, cache));
  TRY_ASSIGN_IN(std::string signer, read_signer(manifest, request.manifest),
                request.manifest + ": module_signer");

  Progress progress;
  progress.step("reading package indices");
  const std::vector<manifests::LockedSource> none;
  TRY_ASSIGN(auto suites,
             fetch_suites(manifest, sources, mirrors, cache, before ? before->sources : none,
                          {seconds_now(), request.accept_expired}, progress.download_observer()));
  if (before) TRY(check_not_older(before->sources, suites.sources));
  std::vector<VanishedPackage> vanished;
  if (before && request.check) {
    TRY_ASSIGN(auto packages, vanished_from(suites.indices, *before));
    for (auto& package : packages) {
      const bool cached = exists(cache.blob_path(package.digest));
      vanished.push_back({std::move(package), cached});
    }
  }
  TRY_ASSIGN_IN(auto yielded, yield_to_packages(written, suites.indices, manifest),
                request.manifest);
  suites.notes.insert(suites.notes.end(), yielded.begin(), yielded.end());
  progress.step("resolving");
  TRY_ASSIGN_IN(auto resolution, resolve(manifest, suites.indices, kept, request.why),
                request.manifest);
  std::vector<std::vector<manifests::LockedPackage>*> chosen = {&resolution.packages};
  if (resolution.module_build) chosen.push_back(&resolution.module_build->packages);
  for (auto* packages : chosen) {
    TRY(fetch_digests(*packages, suites.indices, mirrors, cache, progress.download_observer()));
  }
  TRY_IN(check_module_packages(manifest, resolution.packages), request.manifest);
  if (resolution.module_build) {
    TRY_IN(check_dkms_packages(manifest, *resolution.module_build, mirrors, cache, progress),
           request.manifest);
  }
  if (resolution.module_build) resolution.module_build->signer = std::move(signer);
  auto scripts = scripts_of_packages(manifest.accept_scripts, resolution.packages);
  TRY_ASSIGN_IN(auto accounts, system_accounts(manifest, scripts, before ? &*before : nullptr),
                request.manifest);
  TRY(check_users_of_services(text, request.manifest, manifest, accounts.users));
  LockOutcome out{.lock = {.name = manifest.name,
                           .architecture = manifest.architecture,
                           .manifest_digest = Digest::of(as_bytes(text)),
                           .source_epoch = suites.newest_date,
                           .sources = std::move(suites.sources),
                           .kernel = std::move(resolution.kernel),
                           .packages = std::move(resolution.packages),
                           .provides = manifest.provides,
                           .accept_scripts = without_accounts(std::move(scripts)),
                           .programs = std::move(programs),
                           .builder_version = WEIR_VERSION,
                           .compressor = images::layer_encoder(),
                           .modules = std::move(modules),
                           .accept_secrets = secrets_of_lists(lists),
                           .users = std::move(accounts.users),
                           .groups = std::move(accounts.groups),
                           .folders = std::move(accounts.folders),
                           .module_build = std::move(resolution.module_build)},
                  .text = "",
                  .before = std::move(before),
                  .vanished = std::move(vanished),
                  .explanations = std::move(resolution.explanations),
                  .notes = std::move(suites.notes)};
  out.lock.version = lock_version(out.lock, out.before, manifest.release.version);
  out.text = manifests::print(out.lock);
  // What was just proved, a build need not prove again.
  if (!request.check) {
    TRY(remember_indexed(Digest::of(as_bytes(out.text)), sources, cache));
  }
  return out;
}

}  // namespace weir::builder
