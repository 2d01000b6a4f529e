#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "builder/layers/edge/package_flow.h"
#include "builder/layers/kernel_layers.h"
#include "builder/release/build_plan.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The packages that a kernel comes in, as they arrive on several threads. Whoever brings the last
/// one makes the layers of all.
class KernelInParts {
 public:
  using Keep = std::function<Status(const LayerQuestion&, BuiltLayer)>;

  explicit KernelInParts(const std::vector<const PlannedLayer*>& wanted);

  /// keep    gets each layer, once they are made
  /// errors  as make_kernel_layers; its own
  Status add(const LayerQuestion& question, OpenedPackage package, const Keep& keep);

 private:
  std::mutex guard_;
  std::size_t missing_ = 0;
  std::vector<const LayerQuestion*> questions_;
  std::vector<OpenedPackage> packages_;
};

}  // namespace weir::builder
