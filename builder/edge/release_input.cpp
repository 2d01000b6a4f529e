#include "builder/edge/release_input.h"

#include <algorithm>

#include "builder/edge/layer_content.h"
#include "builder/system_layers.h"
#include "images/cpio_reader.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxManifest{1ULL << 20};
constexpr ByteCount kMaxLock{64ULL << 20};

Result<std::string> origin(const images::Store& store, const Digest& digest, ByteCount limit,
                           const std::string& what) {
  auto text = store.read_document(digest, limit);
  if (!text && text.error().code == Errc::not_found) {
    return fail(Errc::not_found, "its " + what + " (" + digest.string() + ") is not in the store " +
                                     store.path() +
                                     ": it was built before releases brought them along; build it "
                                     "again");
  }
  TRY_IN(text, what);
  return text;
}

// The lock names each program by digest, so it does not matter which copy is found.
Status recover_programs(const images::Store& store, const manifests::Release& release,
                        const manifests::Lock& lock, const Cache& cache) {
  std::vector<manifests::LockedProgram> missing;
  for (const auto& program : lock.programs) {
    if (!FetchedBlob::open(cache, program.digest, program.size)) missing.push_back(program);
  }
  if (missing.empty()) return {};
  for (const auto& layer : release.layers) {
    if (layer.name != kProgramsLayer) continue;
    TRY_ASSIGN(const auto cpio, read_layer_content(store, layer));
    TRY_ASSIGN(const images::FileTree tree, images::decode_cpio(cpio));
    for (const auto& [path, node] : tree.nodes()) {
      if (node.file() == nullptr) continue;
      const std::vector<std::uint8_t>& bytes = *node.file()->content;
      for (const auto& program : missing) {
        if (bytes.size() != program.size.value || Digest::of(bytes) != program.digest) continue;
        TRY(cache.put(program.digest, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
      }
    }
  }
  return {};
}

}  // namespace

Result<BuildInput> read_release_input(const images::Store& store, const manifests::Release& release,
                                      const Cache& cache) {
  TRY_ASSIGN(std::string lock_text, origin(store, release.lock_digest, kMaxLock, "lock"));
  TRY_ASSIGN(auto lock, manifests::parse_lock(lock_text));
  TRY_ASSIGN(std::string manifest_text,
             origin(store, lock.manifest_digest, kMaxManifest, "image manifest"));
  TRY_ASSIGN(auto manifest, manifests::parse_image_manifest(manifest_text));
  TRY_IN(recover_programs(store, release, lock, cache), "programs");
  return BuildInput{"the release's manifest", "the release's lock", std::move(manifest),
                    std::move(lock),          release.lock_digest,  std::move(manifest_text),
                    std::move(lock_text)};
}

}  // namespace weir::builder
