#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/layers/package_layer.h"
#include "builder/release/build_input.h"
#include "builder/release/own_modules.h"
#include "manifests/documents/release.h"

/// What building a release will do, decided before anything is done. `--plan` prints the value that
/// a build then carries out.
namespace weir::builder {

/// A package's layer as it is called before anybody knows whether it is there.
struct LayerQuestion {
  std::size_t package = 0;  ///< its place in the lock
  LayerOptions options;
  Digest key;  ///< `layer_key`
};

/// One for every package, in the lock's order.
/// program   what identifies the builder's own code
[[nodiscard]] std::vector<LayerQuestion> layer_questions(const BuildInput& input,
                                                         std::string_view program);

enum class LayerWay : std::uint8_t {
  reuse,  ///< it is in the store
  make,   ///< of the package
  wait,   ///< one of the kernel's: what it is shows when all others are there
};

struct PlannedLayer {
  LayerQuestion question;
  LayerWay way = LayerWay::make;
  std::optional<LayerFacts> there{};  ///< of one that is reused
  bool fetch = false;                 ///< the package has to be fetched first
};

/// What the world says to a plan's questions.
struct KnownLayers {
  std::vector<std::optional<LayerFacts>> layers;  ///< whole, in the store
  std::vector<bool> packages;                     ///< whether the cache has the .deb
  OwnModules own{};
  std::vector<ForeignModule> files{};  ///< `own.modules` as they lie in the image
};

struct BuildPlan {
  std::vector<PlannedLayer> packages;  ///< in the lock's order
  OwnModules own{};                    ///< what is not compiled yet is, before all else
  std::vector<ForeignModule> files{};  ///< `own.modules` as they lie in the image
  std::vector<std::string> order;      ///< all layers of the image, bottom first
};

/// known   answers to `layer_questions`
[[nodiscard]] BuildPlan plan_layers(const BuildInput& input, std::vector<LayerQuestion> questions,
                                    KnownLayers known);

/// The kernel's layers again, once all others are known: modules of theirs, and those of files,
/// decide what of the kernel's own is kept.
///
/// others   all packages' layers but the kernel's
/// returns  one for each of the kernel's packages, the named one first; empty: there are no such
///          modules, and what was planned holds
[[nodiscard]] std::vector<LayerQuestion> kernel_questions(
    const BuildInput& input, const std::vector<const LayerFacts*>& others,
    const std::vector<ForeignModule>& files, std::string_view program);

/// The layers that a plan knows, where that is all but the kernel's, and all modules are; else
/// nothing.
[[nodiscard]] std::optional<std::vector<const LayerFacts*>> all_others(const BuildPlan& plan);

/// The answers to `kernel_questions`, put into the plan. Of a kernel's layers all are made, or
/// none.
void take_kernel(const BuildInput& input, BuildPlan& plan, std::vector<LayerQuestion> questions,
                 std::vector<std::optional<LayerFacts>> there);

/// What a plan comes to.
struct BuildSums {
  std::size_t reuse = 0, make = 0, wait = 0, fetch = 0;
  ByteCount fetch_bytes;
};
[[nodiscard]] BuildSums sums_of(const BuildInput& input, const BuildPlan& plan);

/// What the manifest accepts, and what its reviewed lists did when it was locked.
[[nodiscard]] AcceptedSecrets accepted_secrets(const BuildInput& input);

}  // namespace weir::builder
