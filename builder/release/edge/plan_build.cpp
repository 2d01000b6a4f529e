#include "builder/release/edge/plan_build.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "builder/layers/baked_services.h"
#include "builder/layers/edge/layer_writer.h"
#include "builder/layers/edge/node_programs.h"
#include "builder/layers/edge/package_flow.h"
#include "builder/release/edge/in_parallel.h"
#include "builder/release/edge/own_modules.h"
#include "images/store/folder/edge/folder_store.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

using Clock = std::chrono::steady_clock;

// What the world says to a plan's questions: layers in the store, of which the largest are looked
// at first, since to hash one takes as long as it is large.
Result<KnownLayers> ask(const BuildInput& input, const Cache& cache, const images::Store* store,
                        const std::vector<LayerQuestion>& questions) {
  const auto& packages = input.lock.packages;
  KnownLayers out;
  out.layers.resize(questions.size());
  for (const auto& package : packages) out.packages.push_back(is_cached(cache, package));
  TRY_ASSIGN(out.own, known_modules(input, cache));
  TRY_ASSIGN(const images::FileTree tree, make_modules_tree(out.own.modules));
  out.files = foreign_modules_of(out.own.modules, tree);
  if (store == nullptr) return out;
  const LayerCache layers = LayerCache::open_for_plan(cache);
  std::vector<std::size_t> largest_first(questions.size());
  std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
  std::stable_sort(largest_first.begin(), largest_first.end(), [&](std::size_t a, std::size_t b) {
    return packages[a].size > packages[b].size;
  });
  TRY(in_parallel(questions.size(), [&](std::size_t i) -> Status {
    const std::size_t at = largest_first[i];
    out.layers[at] = layers.find(questions[at].key, input.lock.source_epoch, *store);
    return {};
  }));
  return out;
}

// Whether `Store::open_or_create` would make one there.
Status check_new_store(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored) || fs::is_empty(path, ignored)) return {};
  if (fs::exists(path + "/blobs", ignored)) return {};
  return fail(Errc::invalid_input, path + ": a folder that is not a store and not empty");
}

// The bytes of a node program that the lock pins, where they are at hand.
std::optional<std::string> program_at_hand(const manifests::LockedProgram& program,
                                           const std::string& folder, const Cache& cache) {
  if (auto cached = read_blob(cache, program.digest, program.size)) return *std::move(cached);
  auto bytes = read_file(folder + "/" + program.name, program.size);
  if (!bytes || Digest::of(as_bytes(*bytes)) != program.digest) return std::nullopt;
  return *std::move(bytes);
}

// Old node programs start no service and say nothing: everything else would pass.
Status check_programs_know_services(const BuildInput& input, const Cache& cache) {
  if (input.manifest.services.empty()) return {};
  TRY_ASSIGN(const std::string folder, node_program_folder(input.manifest, input.manifest_path));
  std::string old;
  for (const auto& program : input.lock.programs) {
    if (program.name != "weir-init" && program.name != "weir-node") continue;
    const auto bytes = program_at_hand(program, folder, cache);
    if (!bytes || knows_services(as_bytes(*bytes))) continue;
    old += (old.empty() ? "" : " and ") + program.name;
  }
  if (old.empty()) return {};
  return fail(Errc::invalid_input,
              input.lock_path + ": programs: the pinned " + old +
                  ", of an older Weir, would not start the manifest's services: " +
                  input.lock_again + " --update weir-init weir-node");
}

}  // namespace

Result<BuildPlan> plan_layers_of(const BuildInput& input, const Cache& cache,
                                 const images::Store* store) {
  const std::string program = own_build_id();
  auto questions = layer_questions(input, program);
  TRY_ASSIGN(auto known, ask(input, cache, store, questions));
  BuildPlan plan = plan_layers(input, std::move(questions), std::move(known));
  const auto others = all_others(plan);
  if (!others) return plan;
  auto asked = kernel_questions(input, *others, plan.files, program);
  std::vector<std::optional<LayerFacts>> there(asked.size());
  if (store != nullptr) {
    const LayerCache layers = LayerCache::open_for_plan(cache);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      there[i] = layers.find(asked[i].key, input.lock.source_epoch, *store);
    }
  }
  take_kernel(input, plan, std::move(asked), std::move(there));
  return plan;
}

Result<PlannedBuild> plan_build(const BuildInput& input, const Cache& cache,
                                const std::string& store_path, IndexDemand demand) {
  const auto begin = Clock::now();
  TRY_ASSIGN(IndexVerdict index, hold_to_index(input, cache, demand, Remembering::no));
  TRY(check_programs_know_services(input, cache));
  const auto store = images::FolderStore::open(store_path);
  if (!store && store.error().code != Errc::not_found) return tl::unexpected(store.error());
  if (!store) TRY(check_new_store(store_path));
  for (const char* folder : {"/blobs/sha256", "/releases"}) {
    TRY_IN(check_folders(store_path + folder), "--store");
  }
  TRY_ASSIGN(BuildPlan layers, plan_layers_of(input, cache, store ? &*store : nullptr));
  return PlannedBuild{std::move(layers), std::move(index), Clock::now() - begin};
}

}  // namespace weir::builder
