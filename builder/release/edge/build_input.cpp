#include "builder/release/edge/build_input.h"

#include <algorithm>

#include "builder/kernel/module_files.h"
#include "builder/layers/system_layers.h"
#include "builder/lock/edge/release_lock.h"
#include "builder/lock/lock_check.h"
#include "builder/release/edge/own_modules.h"
#include "images/formats/cpio_reader.h"
#include "images/formats/layer.h"
#include "images/store/layer_content.h"

namespace weir::builder {
namespace {

// A file that the lock names by digest, so it does not matter which copy is found.
struct Wanted {
  Digest digest;
  ByteCount size;
};

Status recover(const images::Store& store, const manifests::Release& release,
               std::string_view layer_name, const std::vector<Wanted>& files, const Cache& cache) {
  std::vector<Wanted> missing;
  for (const Wanted& file : files) {
    if (!FetchedBlob::open(cache, file.digest, file.size)) missing.push_back(file);
  }
  if (missing.empty()) return {};
  for (const auto& layer : release.layers) {
    if (layer.name != layer_name) continue;
    TRY_ASSIGN(const auto cpio, images::read_layer_content(store, layer));
    TRY_ASSIGN(const images::FileTree tree, images::decode_cpio(cpio));
    for (const auto& [path, node] : tree.nodes()) {
      if (node.file() == nullptr) continue;
      const std::vector<std::uint8_t>& bytes = *node.file()->content;
      for (const Wanted& file : missing) {
        if (bytes.size() != file.size.value || Digest::of(bytes) != file.digest) continue;
        TRY(cache.put(file.digest, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
      }
    }
  }
  return {};
}

}  // namespace

Result<BuildInput> read_release_input(const images::Store& store, const manifests::Release& release,
                                      const Cache& cache) {
  TRY_ASSIGN(ReleaseLock locked, read_release_lock(store, release));
  TRY_ASSIGN(ReleaseManifest written, read_release_manifest(store, locked.lock));
  const manifests::Lock& lock = locked.lock;
  if (auto status = check_compressor(lock, images::layer_encoder()); !status) {
    Error error = std::move(status).error();
    error.message += ": only a weir-builder with the former can make the same bytes again";
    return tl::unexpected(std::move(error).in("its lock"));
  }
  std::vector<Wanted> programs, modules;
  for (const auto& program : lock.programs) programs.push_back({program.digest, program.size});
  for (const auto& module : lock.modules) modules.push_back({module.digest, module.size});
  TRY_IN(recover(store, release, kProgramsLayer, programs, cache), "programs");
  TRY_IN(recover(store, release, kModulesLayer, modules, cache), "modules");
  TRY_IN(recover_signatures(store, release, lock, cache), "signatures of modules");
  return BuildInput{{"the release's manifest", "the release's lock", std::move(written.manifest),
                     std::move(locked.lock), release.lock_digest, std::move(written.text),
                     std::move(locked.text), /*folder=*/"",
                     "do not use this release; lock and build it again"}};
}

}  // namespace weir::builder
