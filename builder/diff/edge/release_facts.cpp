#include "builder/diff/edge/release_facts.h"

#include "builder/lock/edge/release_lock.h"
#include "images/formats/cpio_reader.h"
#include "images/store/layer_content.h"

namespace weir::builder {
namespace {

// Lock and manifest, where the store has them; what is there but damaged is an error.
Status read_origin(const images::Store& store, ReleaseFacts& out) {
  TRY_ASSIGN(auto lock, find_release_lock(store, out.release));
  if (!lock) return {};
  out.lock = std::move(lock->lock);
  TRY_ASSIGN(auto manifest, find_release_manifest(store, *out.lock));
  if (manifest) out.manifest = std::move(manifest->manifest);
  return {};
}

Result<ReleaseFacts> read(const images::Store& store, const ReleaseName& name, LayerTrees& trees) {
  TRY_ASSIGN(const auto stored, store.read_release(name));
  TRY_ASSIGN(auto release, manifests::parse_release(stored.json));
  ReleaseFacts out{std::move(release), Digest::of(as_bytes(stored.json)), {}, {}, {}};
  TRY(read_origin(store, out));
  for (const auto& layer : out.release.layers) {
    auto found = trees.find(layer.content_digest);
    if (found == trees.end()) {
      TRY_ASSIGN(const auto content, images::read_layer_content(store, layer));
      TRY_ASSIGN_IN(auto tree, images::decode_cpio(content), "layer " + layer.name);
      found = trees.emplace(layer.content_digest, std::move(tree)).first;
    }
    unpack_over(out.entries, found->second, layer.name);
  }
  return out;
}

}  // namespace

Result<ReleaseFacts> read_release_facts(const images::Store& store, const ReleaseName& name,
                                        LayerTrees& trees) {
  TRY_ASSIGN_IN(auto out, read(store, name, trees), "release " + name.string());
  return out;
}

}  // namespace weir::builder
