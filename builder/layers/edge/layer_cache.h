#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "builder/layers/package_layer.h"
#include "builder/mirror/edge/fetch.h"
#include "images/store/store.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Remembers, beside the fetched packages, which layers were made from them and what is known of
/// each
/// (`layers/KEY`). The layers themselves lie in stores; a remembered layer counts only with its
/// blobs.
class LayerCache {
 public:
  static Result<LayerCache> open_or_create(const Cache& cache);
  /// For asking only; where the folder is missing, nothing is remembered.
  static LayerCache open_for_plan(const Cache& cache);

  /// What was remembered under `key`, if it still holds for `epoch` and `store` has the blobs,
  /// whole. Whatever is damaged counts as absent.
  [[nodiscard]] std::optional<LayerFacts> find(const Digest& key, std::int64_t epoch,
                                               const images::Store& store) const;
  /// Layers whose bytes depend on the epoch are not remembered.
  Status put(const Digest& key, const LayerFacts& facts, std::int64_t epoch) const;

 private:
  explicit LayerCache(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// What tells this builder's code from another's: the program's own GNU build id, or its version.
[[nodiscard]] std::string own_build_id();

}  // namespace weir::builder
