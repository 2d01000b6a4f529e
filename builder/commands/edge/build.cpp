#include "builder/release/edge/build.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/fetch_options.h"
#include "builder/commands/edge/index_note.h"
#include "builder/commands/edge/json_output.h"
#include "builder/commands/edge/module_key.h"
#include "builder/lock/edge/locked_image.h"
#include "builder/release/edge/own_modules.h"
#include "builder/release/edge/taken_version.h"
#include "builder/secrets/edge/own_secrets.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/pkcs11_key.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

struct BuildOptions {
  std::string input, lock, key, pkcs11, store, cache;
  FetchOptions fetching;
  std::vector<std::string> secrets;
  std::optional<std::string> secrets_key, module_key;
  bool json = false, plan = false, without_signature = false, replace = false;
  bool require_index = false;
};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

ByteCount size_of(const manifests::Release& release) {
  ByteCount out = release.kernel.image.size;
  for (const auto& layer : release.layers) out.value += layer.blob.size.value;
  return out;
}

IndexDemand demand_of(const BuildOptions& given) {
  return given.require_index ? IndexDemand::always : IndexDemand::where_there;
}

// Whose signature the same document has already; a key with a passphrase, or in a token, may turn
// out to be another one.
std::optional<keys::KeyId> signer_there(const BuildOptions& given, const BuildInput& input) {
  const auto store = images::FolderStore::open(given.store);
  return store ? signer_in(*store, input) : std::nullopt;
}

std::vector<std::string> services_of(const BuildInput& input) {
  std::vector<std::string> out;
  for (const auto& service : input.manifest.services) out.push_back(service.name);
  return out;
}

void print_services(const BuildInput& input, const char* what) {
  std::string all;
  for (const auto& name : services_of(input)) all += (all.empty() ? "" : ", ") + name;
  if (!all.empty()) std::printf("  %s%s\n", what, all.c_str());
}

void print_plan_json(const BuildInput& input, const PlannedBuild& plan,
                     const std::optional<keys::KeyId>& there) {
  ordered_json layers = ordered_json::array();
  for (const PlannedLayer& layer : plan.layers.packages) {
    const auto& package = input.lock.packages[layer.question.package];
    const bool reuse = layer.way == LayerWay::reuse;
    layers.push_back({{"package", package.name},
                      {"version", package.version},
                      {"fetch", !reuse && layer.fetch},
                      {"make", !reuse},
                      {"after_others", layer.way == LayerWay::wait}});
  }
  print_result({{"release", input.lock.name.string()},
                {"lock_digest", input.lock_digest.string()},
                {"signed_by", there ? ordered_json(keys::print(*there)) : ordered_json()},
                {"index", name_of(plan.index.check)},
                {"fetch_bytes", sums_of(input, plan.layers).fetch_bytes.value},
                {"compile", plan.layers.own.uncompiled},
                {"services", services_of(input)},
                {"layers", layers},
                {"order", plan.layers.order}});
}

void print_plan(const BuildInput& input, const PlannedBuild& plan,
                const std::optional<keys::KeyId>& there) {
  const BuildSums sums = sums_of(input, plan.layers);
  std::printf("would build release %s from %s\n", input.lock.name.string().c_str(),
              input.lock_path.c_str());
  if (there) {
    std::printf("  there  already, signed by key %s; another key is refused without --replace\n",
                keys::print(*there).c_str());
  }
  for (const std::string& doubt : plan.layers.own.doubts) {
    std::printf("  note   %s\n", doubt.c_str());
  }
  for (const std::string& package : plan.layers.own.uncompiled) {
    std::printf("  compile %s (what that takes to fetch: weir-builder module --plan)\n",
                package.c_str());
  }
  std::printf("  fetch  %zu packages, %s\n", sums.fetch, print(sums.fetch_bytes).c_str());
  std::printf("  make   %zu layers of packages; %zu are in the store\n", sums.make + sums.wait,
              sums.reuse);
  for (const PlannedLayer& layer : plan.layers.packages) {
    if (layer.way == LayerWay::reuse) continue;
    const auto& package = input.lock.packages[layer.question.package];
    std::printf("    %s %s%s%s\n", package.name.c_str(), package.version.c_str(),
                layer.fetch ? " (fetch)" : "",
                layer.way == LayerWay::wait ? " (if the others' modules change it)" : "");
  }
  print_services(input, "run    ");
}

// A line for each interpreter that is missing, with whom it keeps from running.
void print_orphans(const std::vector<OrphanScript>& orphans) {
  constexpr std::size_t kShown = 3;
  std::map<std::string, std::vector<const OrphanScript*>> by_interpreter;
  for (const OrphanScript& script : orphans) by_interpreter[script.interpreter].push_back(&script);
  for (const auto& [interpreter, scripts] : by_interpreter) {
    std::string some;
    for (std::size_t i = 0; i < std::min(scripts.size(), kShown); ++i) {
      some += (i == 0 ? "" : ", ") + scripts[i]->path;
    }
    std::printf("  lacking   %s, which %zu program%s: %s%s\n", interpreter.c_str(), scripts.size(),
                scripts.size() == 1 ? " needs" : "s need", some.c_str(),
                scripts.size() > kShown ? ", …" : "");
  }
}

void print_outcome(const BuildOptions& given, const BuildInput& input,
                   const BuildOutcome& outcome) {
  const manifests::Release& release = outcome.release;
  if (given.json) {
    ordered_json out = {{"release", release.name.string()},
                        {"store", given.store},
                        {"release_digest", outcome.digest.string()},
                        {"lock_digest", release.lock_digest.string()},
                        {"kernel", release.kernel.release},
                        {"packages", release.packages.size()},
                        {"layers", release.layers.size()},
                        {"services", services_of(input)},
                        {"index", name_of(outcome.index.check)},
                        {"layers_built", outcome.layers_built},
                        {"layers_reused", outcome.layers_reused},
                        {"bytes", size_of(release).value},
                        {"scanned_files", release.scan.files},
                        {"scanned_bytes", release.scan.bytes},
                        {"fetch_seconds", seconds(outcome.fetching)},
                        {"build_seconds", seconds(outcome.building)},
                        {"sign_seconds", seconds(outcome.signing)}};
    ordered_json orphans = ordered_json::array();
    for (const OrphanScript& script : outcome.orphans) {
      orphans.push_back({{"path", script.path},
                         {"package", script.package},
                         {"interpreter", script.interpreter}});
    }
    if (!orphans.empty()) out["without_interpreter"] = orphans;
    if (!outcome.unmade.empty()) out["unmade"] = outcome.unmade;
    if (!outcome.without.empty()) out["left_behind"] = outcome.without;
    if (release.scan.own_keys) out["own_keys_searched"] = release.scan.own_keys->count;
    print_result(out);
    return;
  }
  std::printf("built release %s in %s%s\n", release.name.string().c_str(), given.store.c_str(),
              given.without_signature ? ", not signed yet: weir-builder export-digest" : "");
  std::printf("  digest    %s\n", outcome.digest.string().c_str());
  std::printf("  lock      %s\n", release.lock_digest.string().c_str());
  std::printf("  kernel    %s\n", release.kernel.release.c_str());
  std::size_t others = 0;
  for (const auto& module : release.modules) {
    others += module.pinned ? 0 : 1;
    if (!module.pinned) continue;
    std::printf("  module    %s %s\n", module.name.c_str(), module.version.c_str());
  }
  if (others != 0) std::printf("  modules   %zu more, which these need\n", others);
  std::printf("  packages  %zu; layers made %zu, from the store %zu\n", release.packages.size(),
              outcome.layers_built, outcome.layers_reused);
  print_services(input, "services  ");
  std::printf("  size      %s\n", print(size_of(release)).c_str());
  std::printf("  secrets   none in %llu files, %s\n",
              static_cast<unsigned long long>(release.scan.files),
              print(ByteCount{release.scan.bytes}).c_str());
  if (release.scan.own_keys) {
    std::printf("  own keys  none of %llu\n",
                static_cast<unsigned long long>(release.scan.own_keys->count));
  }
  for (const auto& file : release.scan.accepted) {
    std::printf("  accepted  %s, which looks as if it held one\n", file.path.c_str());
  }
  print_orphans(outcome.orphans);
  for (const std::string& line : outcome.unmade) std::printf("  unmade    %s\n", line.c_str());
  for (const std::string& what : outcome.without) {
    std::printf("  without   %s\n", printable(what).c_str());
  }
  std::printf("  time      fetching %.2f s, building %.2f s, signing %.4f s\n",
              seconds(outcome.fetching), seconds(outcome.building), seconds(outcome.signing));
}

Status check_is_free(const BuildOptions& given, const BuildInput& input,
                     const std::optional<keys::KeyId>& signer) {
  const auto store = images::FolderStore::open(given.store);
  if (given.replace || !store) return {};
  return check_version_is_free(*store, input, signer);
}

Status build(const BuildOptions& given) {
  TRY_ASSIGN(const MirrorRequest fetching, request_of(given.fetching));
  TRY_ASSIGN(LockedImage locked, read_locked_image(given.input, given.lock));
  BuildInput input{std::move(locked)};
  TRY_ASSIGN(const auto secrets, read_own_secrets(given.secrets, given.secrets_key));
  TRY_ASSIGN(SecretScanner scanner, SecretScanner::create(secrets));
  input.own_keys = scanner.own_keys();
  input.scanner = std::make_shared<const SecretScanner>(std::move(scanner));
  std::string cache_path = given.cache;
  if (cache_path.empty()) {
    TRY_ASSIGN(cache_path, Cache::default_path());
  }
  TRY_ASSIGN(const Cache cache,
             given.plan ? Cache::open_for_plan(cache_path) : Cache::open_or_create(cache_path));
  TRY_ASSIGN(const auto module_signer, module_signer_of(input.lock));
  if (given.module_key && given.plan) {
    TRY(check_module_key(*given.module_key, module_signer));
    input.signs_later = true;
  } else if (given.module_key) {
    TRY_ASSIGN(input.module_key, read_module_key(*given.module_key, module_signer));
  }
  // First, so that a person who must type a passphrase need not wait for it.
  std::optional<keys::SigningSecretKey> key;
  std::optional<keys::Pkcs11Key> device_key;
  std::optional<keys::Signer> signer;
  std::optional<keys::KeyId> id;
  if (!given.key.empty() && given.plan) {
    TRY_ASSIGN(id, keys::check_secret_key(given.key));
  } else if (!given.key.empty()) {
    TRY_ASSIGN(key, keys::read_secret_key(given.key));
    signer = keys::signer_with(*key);
  } else if (!given.pkcs11.empty() && given.plan) {
    TRY(keys::Pkcs11Key::check_uri(given.pkcs11));
  } else if (!given.pkcs11.empty()) {
    TRY_ASSIGN(device_key, keys::Pkcs11Key::open(given.pkcs11));
    signer = device_key->signer();
  }
  if (signer) id = signer->id;
  TRY_ASSIGN(const PlannedBuild plan, plan_build(input, cache, given.store, demand_of(given)));
  TRY(check_is_free(given, input, id));
  if (!given.json) print_index_note(input.lock_path, plan.index);
  if (given.plan) {
    const auto there = signer_there(given, input);
    if (given.json) {
      print_plan_json(input, plan, there);
    } else {
      print_plan(input, plan, there);
      if (input.lock.module_build) {
        std::printf("  sign   modules %s\n",
                    describe_signing(given.module_key, module_signer).c_str());
      }
    }
    return {};
  }
  std::optional<Progress> progress(std::in_place);
  auto outcome = build_release(input, plan, cache, given.store, signer, fetching, *progress,
                               given.replace ? Replacing::yes : Replacing::no);
  progress.reset();
  TRY(outcome);
  print_outcome(given, input, *outcome);
  return {};
}

Status check(const BuildOptions& given) {
  const int ways = (given.key.empty() ? 0 : 1) + (given.pkcs11.empty() ? 0 : 1) +
                   (given.without_signature ? 1 : 0);
  if (ways == 1 || (ways == 0 && given.plan)) return {};
  return fail(Errc::invalid_input, "which --key signs the release? (or --pkcs11, or --unsigned)");
}

}  // namespace

Command build_command() {
  auto given = std::make_shared<BuildOptions>();
  return {
      .name = "build",
      .summary = "makes a signed release from a lock",
      .about =
          "Makes a release from a lock: fetches its packages, turns each into a layer, checks the\n"
          "image, signs and stores it. Given a manifest, uses the lock beside it.",
      .examples =
          "  weir-builder build gateway.yaml --key release.key --store store\n"
          "  weir-builder build gateway.lock.json --store store --plan\n"
          "  weir-builder build gateway.yaml --key release.key --store store --secrets fleet/keys "
          "--secrets-key-file gateway.seal\n",
      .takes = Positional{"MANIFEST|LOCK", &given->input},
      .options = with_fetching(
          {{"key", "FILE", &given->key,
            "minisign secret key that signs the release (weir-keys generate)"},
           {"pkcs11", "URI", &given->pkcs11,
            "signs with a key in a token or hardware module, in place of --key"},
           {"unsigned", "", &given->without_signature,
            "leaves the signature to another machine (export-digest, attach-signature)"},
           {"store", "DIR", &given->store, "where releases go; made where there is none",
            Need::required},
           {"lock", "LOCK", &given->lock,
            "the manifest's lock; default: beside it, with .lock.json"},
           {"cache", "DIR", &given->cache, "default: $XDG_CACHE_HOME/weir or ~/.cache/weir"},
           {"secrets", "PATH", &given->secrets,
            "refuses an image that holds this key: a sealed identity, WireGuard key, "
            "minisign secret key "
            "or key file, or a folder of such; can be repeated"},
           {"secrets-key-file", "FILE", &given->secrets_key,
            "opens the sealed identities of --secrets, and is looked for too; default: a "
            "passphrase"},
           {"module-key", "FILE", &given->module_key,
            "private key (PEM) of the manifest's module_signer: signs modules that are compiled "
            "and "
            "were not signed before"},
           {"require-index", "", &given->require_index,
            "refuses a lock that cannot be held to the signed indices again, because the "
            "cache or the "
            "keyring is not here"},
           {"replace", "", &given->replace,
            "overwrites a release of the same name, channel and version that is another "
            "document, only where nobody has seen it yet, or the same one's signature by another "
            "key"},
           {"plan", "", &given->plan, "shows what would be done and does nothing"},
           {"json", "", &given->json, "prints the result as JSON"}},
          6, Fetched::packages, given->fetching),
      .check = [given] { return check(*given); },
      .run = [given]() -> Result<Exit> {
        TRY(build(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
