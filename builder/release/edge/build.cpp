#include "builder/release/edge/build.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "builder/layers/baked_services.h"
#include "builder/layers/edge/foreign_modules.h"
#include "builder/layers/edge/layer_writer.h"
#include "builder/layers/edge/node_programs.h"
#include "builder/layers/edge/package_flow.h"
#include "builder/layers/image_checks.h"
#include "builder/layers/missing.h"
#include "builder/layers/package_layer.h"
#include "builder/layers/system_layers.h"
#include "builder/lock/edge/boot_stub.h"
#include "builder/lock/edge/locked_image.h"
#include "builder/release/describe.h"
#include "builder/release/edge/attest.h"
#include "builder/release/edge/in_parallel.h"
#include "builder/release/edge/kernel_in_parts.h"
#include "builder/release/edge/own_modules.h"
#include "builder/release/edge/taken_version.h"
#include "builder/release/image_settings.h"
#include "images/formats/layer.h"
#include "images/store/folder/edge/folder_store.h"
#include "manifests/documents/architecture.h"

namespace weir::builder {
namespace {

using Clock = std::chrono::steady_clock;

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

struct Work {
  std::size_t built = 0, reused = 0;
  std::chrono::nanoseconds fetching{};  ///< until the last package was there; layers were made too
};

// One build on its way.
class Build {
 public:
  Build(const BuildInput& input, const BuildPlan& plan, const Cache& cache, images::Store& store,
        LayerCache layers, Progress& progress)
      : input_(input),
        plan_(plan),
        cache_(cache),
        store_(store),
        layers_(std::move(layers)),
        progress_(progress) {}

  // The layers of all packages, in the lock's order, as they were planned; those of our own
  // programs and of modules from files are made as well.
  Result<std::vector<LayerFacts>> package_layers(const MirrorRequest& request, Work& work) {
    std::vector<std::optional<LayerFacts>> found;
    std::vector<const PlannedLayer*> first, kernel;
    for (const PlannedLayer& layer : plan_.packages) {
      const bool is_kernel = layer.question.options.kernel != KernelRole::none;
      if (is_kernel) kernel.push_back(&layer);
      const bool needs_others = is_kernel && !layer.question.options.foreign.modules.empty();
      if (layer.way == LayerWay::make && !needs_others) first.push_back(&layer);
      found.push_back(layer.there);
    }
    if (kernel.empty()) return fail(Errc::bug, input_.lock_path + ": has no kernel");
    TRY_ASSIGN_IN(programs_, programs_layer(), input_.lock_path);
    own_ = plan_.own;
    if (!own_.uncompiled.empty()) {
      TRY_ASSIGN(own_, make_own_modules(input_, cache_, request, progress_));
    }
    progress_.step("fetching packages and making layers");
    TRY(make(first, request, found, work));
    // With a secret in a layer, or a package without one, there will be no image, and some layers
    // that the kernel's waits for are not made.
    if (missing_.secrets.empty() && missing_.refused.empty())
      TRY(make_kernel(kernel, request, found, work));
    work.reused = found.size() - work.built;
    std::vector<LayerFacts> out;
    out.reserve(found.size());
    for (auto& facts : found) {
      if (facts) out.push_back(std::move(*facts));
    }
    return out;
  }

  // All layers of the image, bottom first, checked as a whole; our own are stored.
  Result<std::vector<LayerFacts>> assemble(std::vector<LayerFacts> packages) {
    progress_.step("checking the image");
    const std::int64_t epoch = input_.lock.source_epoch;
    TRY_ASSIGN(const images::FileTree base_tree, make_base_tree(epoch));
    TRY_ASSIGN(LayerFacts base, tree_layer(std::string(kBaseLayer), base_tree));
    std::set<std::string> settled, conffiles;
    for (const auto& folder : input_.lock.folders) settled.insert(place_in_image(folder.path));
    Overlay overlay(std::move(settled));
    const auto add = [&](const LayerFacts& layer, const std::set<std::string>& replaces = {}) {
      append(missing_.conflicts, overlay.add(layer, replaces));
    };
    std::vector<LayerFacts> all;
    all.push_back(std::move(base));
    append(all, std::move(packages));
    if (modules_) all.push_back(*modules_);
    all.push_back(*programs_);
    for (const LayerFacts& layer : all) {
      add(layer);
      conffiles.insert(layer.conffiles.begin(), layer.conffiles.end());
    }
    // As an administrator would, the manifest may replace a package's configuration, nothing else.
    std::set<std::string> replaces;
    for (const auto& file : input_.manifest.files) {
      const std::string place = place_in_image(file.path);
      if (conffiles.contains(place)) replaces.insert(place);
    }
    for (const auto& service : input_.manifest.services) {
      for (const auto& file : service.files) {
        const std::string place = place_in_image(file.path);
        if (conffiles.contains(place)) replaces.insert(place);
      }
    }
    TRY_ASSIGN_IN(const auto architecture, manifests::parse_architecture(input_.lock.architecture),
                  input_.lock_path);
    ImageSettings given = image_settings(input_, all, overlay, architecture);
    overlay.settle(given.settled);
    unmade_ = std::move(given.unmade);
    TRY_ASSIGN(LayerFacts settings, settings_layer(given.settings, overlay));
    add(settings, replaces);
    all.push_back(std::move(settings));
    missing_.scripts = open_scripts(all, input_.lock.accept_scripts);
    orphans_ = orphan_scripts(overlay, all);
    if (missing_.refused.empty()) {
      missing_.links = missing_links(overlay, all, architecture);
      missing_.services = missing_programs(input_.manifest.services, overlay, orphans_);
    }
    TRY(check_nothing_missing());
    TRY(check_order(all));
    TRY(check_command_line());
    return all;
  }

  /// The modules that are in no package.
  [[nodiscard]] const OwnModules& own() const { return own_; }

  /// Of the image that was assembled.
  [[nodiscard]] const std::vector<OrphanScript>& orphans() const { return orphans_; }
  [[nodiscard]] const std::vector<std::string>& unmade() const { return unmade_; }

 private:
  [[nodiscard]] Status check_order(const std::vector<LayerFacts>& all) const {
    const auto same = [](const LayerFacts& layer, const std::string& name) {
      return layer.layer.name == name;
    };
    if (std::equal(all.begin(), all.end(), plan_.order.begin(), plan_.order.end(), same)) return {};
    return fail(Errc::bug, "the layers are not in the order that was planned");
  }

  // All that is in the way is said at once, for a person to mend in one go.
  Status check_nothing_missing() {
    std::sort(missing_.secrets.begin(), missing_.secrets.end());
    std::sort(missing_.refused.begin(), missing_.refused.end());
    for (const std::string& line : lines_of(missing_, input_.manifest_path)) progress_.note(line);
    return check_complete(missing_);
  }

  void add_secrets(const std::string& layer, std::vector<std::string> found) {
    const std::lock_guard lock(guard_);
    for (std::string& line : found) missing_.secrets.push_back(layer + ": " + std::move(line));
  }

  void refuse(std::string why) {
    const std::lock_guard lock(guard_);
    missing_.refused.push_back(std::move(why));
  }

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

  // Layers of packages, as they come.
  Status make(const std::vector<const PlannedLayer*>& wanted, const MirrorRequest& request,
              std::vector<std::optional<LayerFacts>>& found, Work& work) {
    std::vector<WantedPackage> packages;
    packages.reserve(wanted.size());
    for (const PlannedLayer* layer : wanted) {
      packages.push_back({input_.lock.packages[layer->question.package], layer->fetch});
    }
    LayerWriter writer(store_, layers_, input_.lock.source_epoch);
    const auto keep = [&](const LayerQuestion& question, BuiltLayer built) -> Status {
      if (!built.secrets.empty()) {
        add_secrets(input_.lock.packages[question.package].name, std::move(built.secrets));
        found[question.package] = std::move(built.facts);
        return {};
      }
      TRY_ASSIGN(found[question.package], writer.add(question.key, std::move(built)));
      return {};
    };
    KernelInParts kernel(wanted);
    const PackageFlow flow{
        [&] { return mirrors_of(input_, request); }, progress_.download_observer(),
        [&](std::size_t i, const std::string& deb) -> Status {
          const LayerQuestion& question = wanted[i]->question;
          if (question.options.kernel == KernelRole::none) {
            auto built = make_package_layer(packages[i].package, as_bytes(deb), question.options);
            if (!built && built.error().code == Errc::invalid_input) {
              refuse(std::move(built.error().message));
              return {};
            }
            TRY(built);
            return keep(question, std::move(*built));
          }
          TRY_ASSIGN(OpenedPackage opened,
                     open_package(packages[i].package, as_bytes(deb), question.options));
          return kernel.add(question, std::move(opened), keep);
        }};
    TRY_ASSIGN(const auto fetching, each_package(packages, cache_, flow));
    TRY(writer.finish());
    work.fetching += fetching;
    work.built += wanted.size();
    return {};
  }

  // The layer of modules from files, and, if there is any module that is not the kernel's own, the
  // kernel's layers, which have the list of all.
  Status make_kernel(const std::vector<const PlannedLayer*>& planned, const MirrorRequest& request,
                     std::vector<std::optional<LayerFacts>>& found, Work& work) {
    std::vector<const LayerFacts*> others;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (plan_.packages[i].question.options.kernel == KernelRole::none) {
        others.push_back(&*found[i]);
      }
    }
    std::vector<ForeignModule> foreign;
    if (!own_.modules.empty()) {
      TRY_ASSIGN(const images::FileTree tree, make_modules_tree(own_.modules));
      foreign = foreign_modules_of(own_.modules, tree);
      TRY_ASSIGN(modules_, tree_layer(std::string(kModulesLayer), tree));
      if (!missing_.secrets.empty()) return {};
    }
    auto questions = kernel_questions(input_, others, foreign, own_build_id());
    if (questions.empty()) return {};
    const auto all_there = [&] {
      return std::all_of(questions.begin(), questions.end(),
                         [&](const auto& question) { return found[question.package].has_value(); });
    };
    // The others may have turned out to bring what the plan did not know of.
    const bool as_planned =
        std::all_of(questions.begin(), questions.end(), [&](const auto& question) {
          return question.key == plan_.packages[question.package].question.key;
        });
    if (as_planned && all_there()) return {};
    // Made with the others, and to be made anew.
    for (const PlannedLayer* layer : planned) {
      if (found[layer->question.package] && layer->way == LayerWay::make) --work.built;
    }
    if (!as_planned || planned.front()->way == LayerWay::wait) {
      for (const auto& question : questions) found[question.package] = find(question.key);
      if (all_there()) return {};
    }
    std::vector<ForeignModule> all;
    for (const LayerFacts* layer : others) {
      TRY_ASSIGN(auto modules, read_foreign_modules(store_, *layer));
      append(all, std::move(modules));
    }
    append(all, std::move(foreign));
    std::vector<PlannedLayer> now;
    for (LayerQuestion& question : questions) {
      question.options.foreign.modules = all;
      const bool cached = is_cached(cache_, input_.lock.packages[question.package]);
      now.push_back({.question = std::move(question), .fetch = !cached});
    }
    std::vector<const PlannedLayer*> wanted;
    wanted.reserve(now.size());
    for (const PlannedLayer& layer : now) wanted.push_back(&layer);
    return make(wanted, request, found, work);
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
    if (found && !still_passes(found->scan, accepted_secrets(input_))) return std::nullopt;
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
               make_tree_layer(name, tree, epoch, input_.scanner, accepted_secrets(input_)));
    if (!built.secrets.empty()) {
      add_secrets(name, std::move(built.secrets));
      return std::move(built.facts);
    }
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

  Result<LayerFacts> settings_layer(const Settings& settings, const Overlay& below) {
    const std::int64_t epoch = input_.lock.source_epoch;
    TRY_ASSIGN_IN(const images::FileTree tree, make_settings_tree(settings, epoch, below),
                  input_.manifest_path);
    if (const auto modules = list_modules(tree); !modules.empty()) {
      return fail(Errc::invalid_input, input_.manifest_path + ": files: /" + modules.front().path +
                                           " is a kernel module's place: write it into `modules`, "
                                           "as {name: …, file: …, sha256: …}");
    }
    return tree_layer(std::string(kSettingsLayer), tree);
  }

  const BuildInput& input_;
  const BuildPlan& plan_;
  const Cache& cache_;
  images::Store& store_;
  LayerCache layers_;
  Progress& progress_;
  OwnModules own_;
  std::optional<LayerFacts> programs_, modules_;  // our own programs, and modules of no package
  std::mutex guard_;                              // of what layers find missing
  Missing missing_;
  std::vector<OrphanScript> orphans_;
  std::vector<std::string> unmade_;
};

}  // namespace

Result<MadeRelease> make_release(const BuildInput& input, const BuildPlan& plan, const Cache& cache,
                                 images::Store& store, const MirrorRequest& request,
                                 Progress& progress) {
  TRY_ASSIGN(LayerCache layers, LayerCache::open_or_create(cache));
  for (const std::string* text : {&input.lock_text, &input.manifest_text}) {
    TRY(store.write_blob(Digest::of(as_bytes(*text)), as_bytes(*text)));
  }
  Build build(input, plan, cache, store, std::move(layers), progress);
  Work work;
  TRY_ASSIGN(auto packages, build.package_layers(request, work));
  TRY_ASSIGN_IN(const auto all, build.assemble(std::move(packages)), input.lock_path);
  TRY_ASSIGN(manifests::Release release,
             describe(input.manifest, input.lock, input.lock_digest, all));
  release.scan.own_keys = input.own_keys;
  put_origins(build.own(), release.modules);
  std::string json = manifests::print(release);
  MadeRelease out{std::move(release), std::move(json), work.built, work.reused, work.fetching};
  out.orphans = build.orphans();
  out.unmade = build.unmade();
  for (const LayerFacts& layer : all) {
    out.declared.emplace(layer.layer.name, layer.declared);
    for (const std::string& what : layer.without) {
      out.without.push_back(layer.layer.name + ": " + what);
    }
  }
  return out;
}

Result<BuildOutcome> build_release(const BuildInput& input, const PlannedBuild& plan,
                                   const Cache& cache, const std::string& store_path,
                                   const std::optional<keys::Signer>& signer,
                                   const MirrorRequest& request, Progress& progress,
                                   Replacing replacing) {
  const auto begin = Clock::now() - plan.planning;
  TRY(remember_verdict(input, plan.index, cache));
  TRY_ASSIGN(images::FolderStore store, images::FolderStore::open_or_create(store_path));
  TRY_IN(keep_stub(input.lock, cache, store), input.lock_path);
  TRY_ASSIGN(auto made, make_release(input, plan.layers, cache, store, request, progress));
  const Digest document = Digest::of(as_bytes(made.json));
  if (replacing == Replacing::no) {
    const auto by = signer ? std::optional(signer->id) : std::nullopt;
    TRY(check_version_is_free(store, made.release, document, by));
  }

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
    TRY(store.write_unsigned(made.release.name, made.json));
  }
  const auto stored_at = Clock::now();
  return BuildOutcome{
      std::move(made.release), document,
      made.layers_built,       made.layers_reused,
      made.fetching,           stored_at - begin - made.fetching - (signed_at - built_at),
      signed_at - built_at,    plan.index,
      std::move(made.orphans), std::move(made.unmade),
      std::move(made.without)};
}

}  // namespace weir::builder
