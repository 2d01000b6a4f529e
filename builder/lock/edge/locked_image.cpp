#include "builder/lock/edge/locked_image.h"

#include <array>
#include <string_view>
#include <utility>

#include "builder/lock/lock_check.h"
#include "builder/mirror/edge/sources.h"
#include "images/formats/layer.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

constexpr ByteCount kManifest{1ULL << 20};
constexpr ByteCount kLock{64ULL << 20};
constexpr std::string_view kLockSuffix = ".lock.json";
constexpr std::array<std::string_view, 2> kManifestSuffixes = {".yaml", ".yml"};

std::string lock_beside(const std::string& manifest) {
  for (const std::string_view suffix : kManifestSuffixes) {
    if (manifest.ends_with(suffix)) {
      return manifest.substr(0, manifest.size() - suffix.size()) + std::string(kLockSuffix);
    }
  }
  return manifest + std::string(kLockSuffix);
}

Result<std::string> manifest_beside(const std::string& lock) {
  const std::string stem = lock.substr(0, lock.size() - kLockSuffix.size());
  for (const std::string_view suffix :
       {kManifestSuffixes[0], kManifestSuffixes[1], std::string_view()}) {
    const std::string path = stem + std::string(suffix);
    if (read_file(path, kManifest)) return path;
  }
  return fail(Errc::not_found, lock + ": its manifest is not beside it (" + stem + ".yaml)");
}

}  // namespace

Result<std::string> read_manifest_text(const std::string& path) {
  return if_missing(read_file(path, kManifest), "weir-builder init writes one");
}

Result<LockedImage> read_locked_image(const std::string& path, const std::string& lock_given) {
  std::string manifest_path = path, lock_path = lock_given.empty() ? lock_beside(path) : lock_given;
  if (lock_given.empty() && path.ends_with(kLockSuffix)) {
    lock_path = path;
    TRY_ASSIGN(manifest_path, manifest_beside(path));
  }
  TRY_ASSIGN(const std::string manifest_text, read_manifest_text(manifest_path));
  TRY_ASSIGN(auto manifest, manifests::parse_image_manifest(manifest_text, manifest_path));
  auto lock_text = read_file(lock_path, kLock);
  if (!lock_text && lock_text.error().code == Errc::not_found) {
    return fail(Errc::not_found,
                lock_path + ": no lock yet: run weir-builder lock " + shell_word(manifest_path));
  }
  TRY(lock_text);
  TRY_ASSIGN_IN(auto lock, manifests::parse_canonical_lock(*lock_text), lock_path);
  if (lock.manifest_digest != Digest::of(as_bytes(manifest_text))) {
    return fail(Errc::integrity, manifest_path + " changed since " + lock_path +
                                     " was made: run weir-builder lock " +
                                     shell_word(manifest_path));
  }
  std::string lock_again = "run weir-builder lock " + shell_word(manifest_path);
  if (auto status = check_compressor(lock, images::layer_encoder()); !status) {
    Error error = std::move(status).error();
    error.message += ": " + lock_again;
    return tl::unexpected(std::move(error).in(lock_path));
  }
  const Digest digest = Digest::of(as_bytes(*lock_text));
  std::string folder = absolute_folder_of(manifest_path);
  return LockedImage{std::move(manifest_path),
                     std::move(lock_path),
                     std::move(manifest),
                     std::move(lock),
                     digest,
                     manifest_text,
                     std::move(*lock_text),
                     std::move(folder),
                     std::move(lock_again)};
}

Result<Mirrors> mirrors_of(const LockedImage& image, const MirrorRequest& request) {
  const auto known = read_sources(image.manifest, image.folder);
  return read_mirrors(image.lock.sources, known ? *known : std::vector<SuiteSource>(),
                      image.lock.architecture, request);
}

}  // namespace weir::builder
