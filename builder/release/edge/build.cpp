#include "builder/release/edge/build.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "builder/kernel/edge/module_files.h"
#include "builder/layers/edge/foreign_modules.h"
#include "builder/layers/edge/layer_writer.h"
#include "builder/layers/edge/node_programs.h"
#include "builder/layers/edge/package_flow.h"
#include "builder/layers/image_checks.h"
#include "builder/layers/package_layer.h"
#include "builder/layers/system_layers.h"
#include "builder/release/describe.h"
#include "builder/release/edge/attest.h"
#include "builder/release/edge/boot_stub.h"
#include "builder/release/edge/taken_version.h"
#include "images/store/edge/signatures.h"
#include "images/tree/layer.h"
#include "images/tree/merged_usr.h"

namespace weir::builder {
namespace {

using Clock = std::chrono::steady_clock;

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

// A module of another layer decides which of the kernel's own are kept. Where the manifest asks for
// one, the kernel's package comes last; where a package just brings one, it is looked at again.
bool comes_last(const BuildInput& input, const manifests::LockedPackage& package) {
  return package.name == input.lock.kernel && !input.manifest.module_sources.empty();
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

// Runs `work` for 0 to count-1 on as many threads as the machine has processors; the first failure
// stops what has not begun.
Status in_parallel(std::size_t count, const std::function<Status(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex guard;
  std::optional<Error> first;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      Status done = work(i);
      if (done) continue;
      const std::lock_guard lock(guard);
      if (!first) first = std::move(done.error());
      next = count;
    }
  };
  const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                                      std::max<std::size_t>(count, 1));
  {
    std::vector<std::jthread> pool;
    for (std::size_t i = 1; i < threads; ++i) pool.emplace_back(run);
    run();
  }
  if (first) return tl::unexpected(std::move(*first));
  return {};
}

struct Work {
  std::size_t built = 0, reused = 0;
  std::chrono::nanoseconds fetching{};  ///< until the last package was there; layers were made too
};

// One build on its way.
class Build {
 public:
  Build(const BuildInput& input, const Cache& cache, images::Store store, LayerCache layers,
        Progress& progress)
      : input_(input),
        cache_(cache),
        store_(std::move(store)),
        layers_(std::move(layers)),
        progress_(progress) {}

  // The layers of all packages, in the lock's order; that of our own programs is made as well.
  Result<std::vector<LayerFacts>> package_layers(const std::vector<std::string>& overrides,
                                                 Work& work) {
    const auto& packages = input_.lock.packages;
    const std::string program = own_build_id();
    std::vector<std::optional<LayerFacts>> found(packages.size());
    std::vector<Digest> keys;
    keys.reserve(packages.size());
    progress_.step("looking for layers that are there");
    for (const auto& package : packages) {
      keys.push_back(layer_key(package, options_for(input_, package), program));
    }
    // To hash a layer that is there takes as long as it is large: the largest begin.
    std::vector<std::size_t> largest_first(packages.size());
    std::iota(largest_first.begin(), largest_first.end(), std::size_t{0});
    std::stable_sort(largest_first.begin(), largest_first.end(), [&](std::size_t a, std::size_t b) {
      return packages[a].size > packages[b].size;
    });
    TRY(in_parallel(packages.size() + 1, [&](std::size_t i) -> Status {
      if (i == 0) {
        TRY_ASSIGN_IN(programs_, programs_layer(), input_.lock_path);
        return {};
      }
      const std::size_t at = largest_first[i - 1];
      if (!comes_last(input_, packages[at])) found[at] = find(keys[at]);
      return {};
    }));
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < packages.size(); ++i) {
      if (found[i]) ++work.reused;
      if (!found[i] && !comes_last(input_, packages[i])) missing.push_back(i);
    }
    work.built = missing.size();
    progress_.step("fetching packages and making layers");
    std::vector<manifests::LockedPackage> wanted;
    wanted.reserve(missing.size());
    for (const std::size_t at : missing) wanted.push_back(packages[at]);
    LayerWriter writer(store_, layers_, input_.lock.source_epoch);
    const PackageFlow flow{[&] { return mirrors(overrides); }, progress_.download_observer(),
                           [&](std::size_t i, const std::string& deb) -> Status {
                             const std::size_t at = missing[i];
                             const auto options = options_for(input_, packages[at]);
                             TRY_ASSIGN(BuiltLayer built,
                                        make_package_layer(packages[at], as_bytes(deb), options));
                             TRY_ASSIGN(found[at], writer.add(keys[at], std::move(built)));
                             return {};
                           }};
    TRY_ASSIGN(work.fetching, each_package(wanted, cache_, flow));
    TRY(writer.finish());
    TRY(add_modules(found, overrides, work));
    std::vector<LayerFacts> out;
    out.reserve(found.size());
    for (auto& facts : found) out.push_back(std::move(*facts));
    return out;
  }

  // All layers of the image, bottom first, checked as a whole; our own are stored.
  Result<std::vector<LayerFacts>> assemble(std::vector<LayerFacts> packages) {
    progress_.step("checking the image");
    TRY(check_scripts(packages, input_.lock.accept_scripts));
    const std::int64_t epoch = input_.lock.source_epoch;
    TRY_ASSIGN(const images::FileTree base_tree, make_base_tree(epoch));
    TRY_ASSIGN(LayerFacts base, tree_layer(std::string(kBaseLayer), base_tree));
    Overlay overlay;
    TRY(overlay.add(base));
    std::set<std::string> conffiles;
    for (const LayerFacts& layer : packages) {
      TRY(overlay.add(layer));
      conffiles.insert(layer.conffiles.begin(), layer.conffiles.end());
    }
    if (modules_) TRY(overlay.add(*modules_));
    TRY(overlay.add(*programs_));
    TRY_ASSIGN(LayerFacts settings, settings_layer(packages, overlay));
    // As an administrator would, the manifest may replace a package's configuration, nothing else.
    std::set<std::string> replaces;
    for (const auto& file : input_.manifest.files) {
      const auto path = images::ImagePath::parse(file.path);
      if (!path) continue;
      const auto place = images::merged(*path);
      if (place && conffiles.contains(place->string())) replaces.insert(place->string());
    }
    TRY(overlay.add(settings, replaces));

    std::vector<LayerFacts> all;
    all.push_back(std::move(base));
    append(all, std::move(packages));
    if (modules_) all.push_back(*modules_);
    all.push_back(*programs_);
    all.push_back(std::move(settings));
    TRY(check_libraries(overlay, all));
    TRY(check_command_line());
    return all;
  }

 private:
  // Not a file of the image, but as readable.
  [[nodiscard]] Status check_command_line() const {
    if (!input_.scanner) return {};
    const auto found = input_.scanner->scan(as_bytes(input_.manifest.command_line));
    if (found.empty()) return {};
    return fail(Errc::unauthorized, input_.manifest_path + ": command_line holds " +
                                        found.front().what + " at byte " +
                                        std::to_string(found.front().offset) +
                                        ": take it out, everyone can read a release");
  }

  // A build from the cache needs neither apt nor a mirror.
  [[nodiscard]] Result<Mirrors> mirrors(const std::vector<std::string>& overrides) const {
    std::vector<std::string> suites;
    for (const auto& source : input_.lock.sources) suites.push_back(source.suite);
    return read_mirrors(suites, overrides);
  }

  // The layer of modules from files, and, if there is any module that is not the kernel package's
  // own, the kernel's layer, which has the list of all.
  Status add_modules(std::vector<std::optional<LayerFacts>>& found,
                     const std::vector<std::string>& overrides, Work& work) {
    const auto& packages = input_.lock.packages;
    std::vector<const LayerFacts*> others;
    std::size_t kernel = 0;
    for (std::size_t i = 0; i < packages.size(); ++i) {
      if (packages[i].name == input_.lock.kernel) {
        kernel = i;
      } else {
        others.push_back(&*found[i]);
      }
    }
    TRY_ASSIGN(const auto files,
               fetch_modules(input_.manifest, input_.lock, input_.manifest_path, cache_));
    if (!files.empty()) {
      TRY_ASSIGN(const images::FileTree tree, make_modules_tree(files));
      TRY_ASSIGN(modules_, tree_layer(std::string(kModulesLayer), tree));
      others.push_back(&*modules_);
    }
    LayerOptions options = options_for(input_, packages[kernel]);
    for (const LayerFacts* layer : others) {
      append(options.foreign.modules, foreign_modules_in(layer->layer.name, layer->modules));
    }
    const bool again = found[kernel].has_value();
    if (again && options.foreign.modules.empty()) return {};
    const Digest key = layer_key(packages[kernel], options, own_build_id());
    found[kernel] = find(key);
    if (found[kernel]) {
      work.reused += again ? 0 : 1;
      return {};
    }
    options.foreign.modules.clear();
    for (const LayerFacts* layer : others) {
      TRY_ASSIGN(auto modules, read_foreign_modules(store_, *layer));
      append(options.foreign.modules, std::move(modules));
    }
    LayerWriter writer(store_, layers_, input_.lock.source_epoch);
    const PackageFlow flow{[&] { return mirrors(overrides); }, progress_.download_observer(),
                           [&](std::size_t, const std::string& deb) -> Status {
                             TRY_ASSIGN(
                                 BuiltLayer built,
                                 make_package_layer(packages[kernel], as_bytes(deb), options));
                             TRY_ASSIGN(found[kernel], writer.add(key, std::move(built)));
                             return {};
                           }};
    TRY_ASSIGN(const auto fetching, each_package({packages[kernel]}, cache_, flow));
    TRY(writer.finish());
    work.fetching += fetching;
    work.built += again ? 0 : 1;
    return {};
  }

  Result<std::string> program(const std::string& name) {
    TRY_ASSIGN(const std::string folder,
               node_program_folder(input_.manifest, input_.manifest_path));
    for (const auto& locked : input_.lock.programs) {
      if (locked.name != name) continue;
      TRY_ASSIGN(const FetchedBlob blob, fetch_program(locked, folder, cache_));
      return blob.read();
    }
    return fail(Errc::not_found, input_.lock_path + ": programs: no " + name + ": lock again");
  }

  // A layer that was made before, unless something in it is no longer accepted.
  [[nodiscard]] std::optional<LayerFacts> find(const Digest& key) const {
    auto found = layers_.find(key, input_.lock.source_epoch, store_);
    if (found && !still_passes(found->scan, input_.manifest.accept_secrets)) return std::nullopt;
    return found;
  }

  // A layer of our own: made, or found as it was made before.
  Result<LayerFacts> tree_layer(const std::string& name, const images::FileTree& tree) {
    const std::int64_t epoch = input_.lock.source_epoch;
    TRY_ASSIGN(const Digest content, images::content_digest(tree, epoch));
    const bool keys = input_.scanner && input_.scanner->has_keys();
    const std::string searched = keys ? input_.scanner->identity().string() : "";
    const Digest key = tree_layer_key(name, content, own_build_id() + searched);
    if (auto found = find(key)) return std::move(*found);
    TRY_ASSIGN(BuiltLayer built,
               make_tree_layer(name, tree, epoch, input_.scanner, input_.manifest.accept_secrets));
    LayerWriter writer(store_, layers_, epoch);
    TRY_ASSIGN(LayerFacts facts, writer.add(key, std::move(built)));
    TRY(writer.finish());
    return facts;
  }

  Result<LayerFacts> programs_layer() {
    TRY_ASSIGN(const std::string init, program("weir-init"));
    TRY_ASSIGN(const std::string agent, program("weir-node"));
    TRY_ASSIGN(const images::FileTree tree, make_programs_tree(init, agent));
    return tree_layer(std::string(kProgramsLayer), tree);
  }

  Result<LayerFacts> settings_layer(const std::vector<LayerFacts>& packages, const Overlay& below) {
    Settings settings{input_.lock_digest,
                      {},
                      tools_of(input_.manifest, input_.lock),
                      input_.manifest.users,
                      input_.manifest.files,
                      input_.manifest.sources.suites.front(),
                      below.find("etc/os-release") == nullptr};
    for (const LayerFacts& layer : packages) {
      if (layer.kernel) settings.modules = layer.kernel->load;
    }
    const std::int64_t epoch = input_.lock.source_epoch;
    TRY_ASSIGN_IN(const images::FileTree tree, make_settings_tree(settings, epoch),
                  input_.manifest_path);
    if (const auto modules = list_modules(tree); !modules.empty()) {
      return fail(Errc::invalid_input, input_.manifest_path + ": files: /" + modules.front().path +
                                           " is a kernel module's place: write it into `modules`, "
                                           "as {name: …, file: …, sha256: …}");
    }
    return tree_layer(std::string(kSettingsLayer), tree);
  }

  const BuildInput& input_;
  const Cache& cache_;
  images::Store store_;
  LayerCache layers_;
  Progress& progress_;
  std::optional<LayerFacts> programs_, modules_;  // our own, and the modules from files
};

}  // namespace

Result<std::vector<PlannedLayer>> plan_build(const BuildInput& input, const Cache& cache,
                                             const std::string& store_path) {
  TRY_ASSIGN(const LayerCache layers, LayerCache::open_or_create(cache));
  const auto store = images::Store::open(store_path);
  if (!store && store.error().code != Errc::not_found) return tl::unexpected(store.error());
  const std::string program = own_build_id();
  std::vector<PlannedLayer> out;
  std::vector<ForeignModule> foreign;
  const auto plan = [&](const manifests::LockedPackage& package, const LayerOptions& options) {
    const Digest key = layer_key(package, options, program);
    const auto found = store ? layers.find(key, input.lock.source_epoch, *store) : std::nullopt;
    if (found) append(foreign, foreign_modules_in(found->layer.name, found->modules));
    return PlannedLayer{&package, key,
                        found && still_passes(found->scan, input.manifest.accept_secrets),
                        is_cached(cache, package)};
  };
  for (const auto& package : input.lock.packages) {
    out.push_back(plan(package, options_for(input, package)));
  }
  if (!input.manifest.module_sources.empty()) {
    TRY_ASSIGN(const auto files,
               fetch_modules(input.manifest, input.lock, input.manifest_path, cache));
    TRY_ASSIGN(const images::FileTree tree, make_modules_tree(files));
    append(foreign, foreign_modules_in(std::string(kModulesLayer), list_modules(tree)));
  }
  for (auto& layer : out) {
    if (layer.package->name != input.lock.kernel || foreign.empty()) continue;
    LayerOptions options = options_for(input, *layer.package);
    options.foreign.modules = foreign;
    layer = plan(*layer.package, options);
  }
  return out;
}

Result<MadeRelease> make_release(const BuildInput& input, const Cache& cache, images::Store store,
                                 const std::vector<std::string>& overrides, Progress& progress) {
  TRY_ASSIGN(LayerCache layers, LayerCache::open_or_create(cache));
  for (const std::string* text : {&input.lock_text, &input.manifest_text}) {
    TRY(store.write_blob(Digest::of(as_bytes(*text)), as_bytes(*text)));
  }
  Build build(input, cache, std::move(store), std::move(layers), progress);
  Work work;
  TRY_ASSIGN(auto packages, build.package_layers(overrides, work));
  TRY_ASSIGN_IN(const auto all, build.assemble(std::move(packages)), input.lock_path);
  TRY_ASSIGN(manifests::Release release,
             describe(input.manifest, input.lock, input.lock_digest, all));
  release.scan.own_keys = input.own_keys;
  std::string json = manifests::print(release);
  MadeRelease out{std::move(release), std::move(json), work.built, work.reused, work.fetching};
  for (const LayerFacts& layer : all) out.declared.emplace(layer.layer.name, layer.declared);
  return out;
}

Result<BuildOutcome> build_release(const BuildInput& input, const Cache& cache,
                                   const std::string& store_path,
                                   const std::optional<keys::Signer>& signer,
                                   const std::vector<std::string>& overrides, Progress& progress,
                                   Replacing replacing, IndexDemand demand) {
  const auto begin = Clock::now();
  progress.step("holding the lock to its signed index");
  TRY_ASSIGN(IndexVerdict index, hold_to_index(input, cache, demand, Remembering::yes));
  TRY_ASSIGN(images::Store store, images::Store::open_or_create(store_path));
  TRY_IN(keep_stub(input.lock, cache, store), input.lock_path);
  TRY_ASSIGN(auto made, make_release(input, cache, store, overrides, progress));
  const Digest document = Digest::of(as_bytes(made.json));
  if (replacing == Replacing::no) TRY(check_version_is_free(store, made.release, document));

  progress.step("signing");
  const auto built_at = Clock::now();
  const std::string comment =
      "weir release " + made.release.name.string() + " of lock " + input.lock_digest.string();
  std::string signature;
  if (signer) {
    TRY_ASSIGN(signature,
               keys::sign_prehashed(*signer, keys::prehash(as_bytes(made.json)), comment));
    TRY_ASSIGN(const Attestation attestation,
               make_attestation(made.release, document, input.lock, made.declared));
    TRY(attest(store, attestation, *signer));
  }
  const auto signed_at = Clock::now();
  if (signer) {
    TRY(store.write_release(made.release.name, made.json, signature));
  } else {
    TRY(images::write_unsigned(store, made.release.name, made.json));
  }
  const auto stored_at = Clock::now();
  return BuildOutcome{
      std::move(made.release), document,
      made.layers_built,       made.layers_reused,
      made.fetching,           stored_at - begin - made.fetching - (signed_at - built_at),
      signed_at - built_at,    std::move(index)};
}

}  // namespace weir::builder
