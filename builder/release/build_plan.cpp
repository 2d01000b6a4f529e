#include "builder/release/build_plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "builder/kernel/kernel_packages.h"
#include "builder/kernel/module_files.h"
#include "builder/layers/system_layers.h"

namespace weir::builder {
namespace {

LayerOptions options_for(const BuildInput& input, KernelRole kernel,
                         const std::vector<std::size_t>& kernel_packages) {
  LayerOptions out;
  out.epoch = input.lock.source_epoch;
  out.documentation = input.manifest.documentation;
  out.kernel = kernel;
  if (kernel != KernelRole::none) {
    std::set<std::string> own;
    for (const std::size_t place : kernel_packages) {
      const manifests::LockedPackage& package = input.lock.packages[place];
      own.insert(package.name);
      if (kernel_packages.size() > 1) out.kernel_packages.push_back(package.digest);
    }
    out.modules = input.manifest.modules;
    out.foreign.chosen = chosen_modules(input.manifest, own);
  }
  out.scanner = input.scanner;
  out.accept_secrets = accepted_secrets(input);
  return out;
}

KernelRole role_of(std::size_t package, const std::vector<std::size_t>& kernel_packages) {
  const auto found = std::find(kernel_packages.begin(), kernel_packages.end(), package);
  if (found == kernel_packages.end()) return KernelRole::none;
  return found == kernel_packages.begin() ? KernelRole::named : KernelRole::part;
}

bool is_kernels(const PlannedLayer& layer) {
  return layer.question.options.kernel != KernelRole::none;
}

LayerQuestion question_of(const BuildInput& input, std::size_t package, LayerOptions options,
                          std::string_view program) {
  const Digest key = layer_key(input.lock.packages[package], options, program);
  return {package, std::move(options), key};
}

// A layer that was made before, unless something in it is no longer accepted.
std::optional<LayerFacts> accepted(const BuildInput& input, std::optional<LayerFacts> there) {
  if (there && !still_passes(there->scan, accepted_secrets(input))) return std::nullopt;
  return there;
}

void set(const BuildInput& input, PlannedLayer& layer, std::optional<LayerFacts> there) {
  layer.there = accepted(input, std::move(there));
  layer.way = layer.there ? LayerWay::reuse : LayerWay::make;
}

// A kernel's layers are made of all of its packages, so none of them is made alone.
void make_all_or_none(BuildPlan& plan) {
  const bool any = std::any_of(plan.packages.begin(), plan.packages.end(), [](const auto& layer) {
    return is_kernels(layer) && layer.way == LayerWay::make;
  });
  if (!any) return;
  for (PlannedLayer& layer : plan.packages) {
    if (!is_kernels(layer)) continue;
    layer.way = LayerWay::make;
    layer.there.reset();
  }
}

std::vector<std::string> order_of(const BuildInput& input, bool modules_from_files) {
  std::vector<std::string> out = {std::string(kBaseLayer)};
  for (const auto& package : input.lock.packages) out.push_back(package.name);
  if (modules_from_files) out.emplace_back(kModulesLayer);
  out.emplace_back(kProgramsLayer);
  out.emplace_back(kSettingsLayer);
  return out;
}

}  // namespace

AcceptedSecrets accepted_secrets(const BuildInput& input) {
  AcceptedSecrets out = input.manifest.accept_secrets;
  out.insert(out.end(), input.lock.accept_secrets.begin(), input.lock.accept_secrets.end());
  return out;
}

std::vector<LayerQuestion> layer_questions(const BuildInput& input, std::string_view program) {
  const auto kernel = kernel_packages_of(input.lock);
  std::vector<LayerQuestion> out;
  for (std::size_t i = 0; i < input.lock.packages.size(); ++i) {
    out.push_back(question_of(input, i, options_for(input, role_of(i, kernel), kernel), program));
  }
  return out;
}

BuildPlan plan_layers(const BuildInput& input, std::vector<LayerQuestion> questions,
                      KnownLayers known) {
  BuildPlan out;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    PlannedLayer layer{.question = std::move(questions[i]), .fetch = !known.packages.at(i)};
    // Where the manifest asks for modules of others, the first answer is to the wrong question.
    const bool waits = is_kernels(layer) && !input.manifest.module_sources.empty();
    if (waits) {
      layer.way = LayerWay::wait;
    } else {
      set(input, layer, std::move(known.layers.at(i)));
    }
    out.packages.push_back(std::move(layer));
  }
  make_all_or_none(out);
  out.own = std::move(known.own);
  out.files = std::move(known.files);
  out.order = order_of(input, !out.files.empty() || !out.own.uncompiled.empty());
  return out;
}

std::vector<LayerQuestion> kernel_questions(const BuildInput& input,
                                            const std::vector<const LayerFacts*>& others,
                                            const std::vector<ForeignModule>& files,
                                            std::string_view program) {
  std::vector<ForeignModule> foreign;
  for (const LayerFacts* layer : others) {
    auto modules = foreign_modules_in(layer->layer.name, layer->modules);
    std::move(modules.begin(), modules.end(), std::back_inserter(foreign));
  }
  foreign.insert(foreign.end(), files.begin(), files.end());
  std::vector<LayerQuestion> out;
  if (foreign.empty() && input.manifest.module_sources.empty()) return out;
  const auto kernel = kernel_packages_of(input.lock);
  for (const std::size_t place : kernel) {
    LayerOptions options = options_for(input, role_of(place, kernel), kernel);
    options.foreign.modules = foreign;
    out.push_back(question_of(input, place, std::move(options), program));
  }
  return out;
}

std::optional<std::vector<const LayerFacts*>> all_others(const BuildPlan& plan) {
  if (!plan.own.uncompiled.empty()) return std::nullopt;
  std::vector<const LayerFacts*> out;
  for (const PlannedLayer& layer : plan.packages) {
    if (is_kernels(layer)) continue;
    if (!layer.there) return std::nullopt;
    out.push_back(&*layer.there);
  }
  return out;
}

void take_kernel(const BuildInput& input, BuildPlan& plan, std::vector<LayerQuestion> questions,
                 std::vector<std::optional<LayerFacts>> there) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    PlannedLayer& layer = plan.packages.at(questions[i].package);
    layer.question = std::move(questions[i]);
    set(input, layer, std::move(there.at(i)));
  }
  make_all_or_none(plan);
}

BuildSums sums_of(const BuildInput& input, const BuildPlan& plan) {
  BuildSums out;
  for (const PlannedLayer& layer : plan.packages) {
    out.reuse += layer.way == LayerWay::reuse ? 1 : 0;
    out.make += layer.way == LayerWay::make ? 1 : 0;
    out.wait += layer.way == LayerWay::wait ? 1 : 0;
    if (layer.way == LayerWay::reuse || !layer.fetch) continue;
    ++out.fetch;
    out.fetch_bytes.value += input.lock.packages.at(layer.question.package).size.value;
  }
  return out;
}

}  // namespace weir::builder
