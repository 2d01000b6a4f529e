#include "builder/release/build_plan.h"

#include <algorithm>
#include <utility>

#include "builder/kernel/module_files.h"
#include "builder/layers/system_layers.h"

namespace weir::builder {
namespace {

LayerOptions options_for(const BuildInput& input, const manifests::LockedPackage& package) {
  LayerOptions out;
  out.epoch = input.lock.source_epoch;
  out.documentation = input.manifest.documentation;
  out.kernel = package.name == input.lock.kernel;
  if (out.kernel) {
    out.modules = input.manifest.modules;
    out.foreign.chosen = chosen_modules(input.manifest, input.lock.kernel);
  }
  out.scanner = input.scanner;
  out.accept_secrets = input.manifest.accept_secrets;
  return out;
}

LayerQuestion question_of(const BuildInput& input, std::size_t package, LayerOptions options,
                          std::string_view program) {
  const Digest key = layer_key(input.lock.packages[package], options, program);
  return {package, std::move(options), key};
}

std::size_t kernel_of(const BuildInput& input) {
  const auto& packages = input.lock.packages;
  const auto found = std::find_if(packages.begin(), packages.end(), [&](const auto& package) {
    return package.name == input.lock.kernel;
  });
  return static_cast<std::size_t>(found - packages.begin());
}

// A layer that was made before, unless something in it is no longer accepted.
std::optional<LayerFacts> accepted(const BuildInput& input, std::optional<LayerFacts> there) {
  if (there && !still_passes(there->scan, input.manifest.accept_secrets)) return std::nullopt;
  return there;
}

void set(const BuildInput& input, PlannedLayer& layer, std::optional<LayerFacts> there) {
  layer.there = accepted(input, std::move(there));
  layer.way = layer.there ? LayerWay::reuse : LayerWay::make;
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

std::vector<LayerQuestion> layer_questions(const BuildInput& input, std::string_view program) {
  std::vector<LayerQuestion> out;
  for (std::size_t i = 0; i < input.lock.packages.size(); ++i) {
    out.push_back(question_of(input, i, options_for(input, input.lock.packages[i]), program));
  }
  return out;
}

BuildPlan plan_layers(const BuildInput& input, std::vector<LayerQuestion> questions,
                      KnownLayers known) {
  BuildPlan out;
  const std::size_t kernel = kernel_of(input);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    PlannedLayer layer{.question = std::move(questions[i]), .fetch = !known.packages.at(i)};
    // Where the manifest asks for modules of others, the first answer is to the wrong question.
    const bool waits = i == kernel && !input.manifest.module_sources.empty();
    if (waits) {
      layer.way = LayerWay::wait;
    } else {
      set(input, layer, std::move(known.layers.at(i)));
    }
    out.packages.push_back(std::move(layer));
  }
  out.order = order_of(input, !known.files.empty());
  out.files = std::move(known.files);
  return out;
}

std::optional<LayerQuestion> kernel_question(const BuildInput& input,
                                             const std::vector<const LayerFacts*>& others,
                                             const std::vector<ForeignModule>& files,
                                             std::string_view program) {
  const std::size_t kernel = kernel_of(input);
  LayerOptions options = options_for(input, input.lock.packages.at(kernel));
  for (const LayerFacts* layer : others) {
    auto modules = foreign_modules_in(layer->layer.name, layer->modules);
    std::move(modules.begin(), modules.end(), std::back_inserter(options.foreign.modules));
  }
  options.foreign.modules.insert(options.foreign.modules.end(), files.begin(), files.end());
  const bool waits = !input.manifest.module_sources.empty();
  if (options.foreign.modules.empty() && !waits) return std::nullopt;
  return question_of(input, kernel, std::move(options), program);
}

std::optional<std::vector<const LayerFacts*>> all_others(const BuildInput& input,
                                                         const BuildPlan& plan) {
  std::vector<const LayerFacts*> out;
  const std::size_t kernel = kernel_of(input);
  for (std::size_t i = 0; i < plan.packages.size(); ++i) {
    if (i == kernel) continue;
    if (!plan.packages[i].there) return std::nullopt;
    out.push_back(&*plan.packages[i].there);
  }
  return out;
}

void take_kernel(const BuildInput& input, BuildPlan& plan, LayerQuestion question,
                 std::optional<LayerFacts> there) {
  PlannedLayer& layer = plan.packages.at(question.package);
  layer.question = std::move(question);
  set(input, layer, std::move(there));
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
