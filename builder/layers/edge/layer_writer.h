#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "builder/layers/edge/layer_cache.h"
#include "builder/layers/package_layer.h"
#include "images/store/store.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Stores layers in a thread of its own, so that who makes them does not wait for the disk. Blobs
/// come before the layer is remembered. The store outlives it.
class LayerWriter {
 public:
  LayerWriter(images::Store& store, LayerCache layers, std::int64_t epoch);
  /// Writes what is waiting.
  ~LayerWriter();
  LayerWriter(const LayerWriter&) = delete;
  LayerWriter& operator=(const LayerWriter&) = delete;

  /// Returns what is known of the layer; waits while much is waiting. Several threads may call it.
  /// errors: of an earlier layer, as `finish`
  Result<LayerFacts> add(const Digest& key, BuiltLayer built);
  /// Waits until all is stored; nothing may be added afterwards. errors: of the first that could
  /// not be stored, after which no other is
  [[nodiscard]] Status finish();

 private:
  struct Waiting {
    Digest key;
    BuiltLayer built;
  };
  void run();
  Status write(const Waiting& one);

  images::Store& store_;
  LayerCache layers_;
  std::int64_t epoch_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  bool closed_ = false;
  Status status_;
  std::jthread thread_;  ///< last: it uses the others
};

}  // namespace weir::builder
