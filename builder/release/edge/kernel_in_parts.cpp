#include "builder/release/edge/kernel_in_parts.h"

#include <utility>

namespace weir::builder {

KernelInParts::KernelInParts(const std::vector<const PlannedLayer*>& wanted) {
  for (const PlannedLayer* layer : wanted) {
    missing_ += layer->question.options.kernel != KernelRole::none ? 1 : 0;
  }
}

Status KernelInParts::add(const LayerQuestion& question, OpenedPackage package, const Keep& keep) {
  {
    const std::lock_guard lock(guard_);
    const bool named = question.options.kernel == KernelRole::named;
    questions_.insert(named ? questions_.begin() : questions_.end(), &question);
    packages_.insert(named ? packages_.begin() : packages_.end(), std::move(package));
    if (--missing_ > 0) return {};
  }
  const LayerOptions& options = questions_.front()->options;
  TRY_ASSIGN(auto built, make_kernel_layers(std::move(packages_), options));
  for (std::size_t i = 0; i < built.size(); ++i) TRY(keep(*questions_[i], std::move(built[i])));
  return {};
}

}  // namespace weir::builder
