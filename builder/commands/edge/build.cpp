#include "builder/release/edge/build.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/command_line.h"
#include "builder/commands/edge/index_note.h"
#include "builder/secrets/edge/own_secrets.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/pkcs11_key.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;
using nlohmann::ordered_json;

constexpr ByteCount kLargestKey{64ULL << 10};

struct BuildOptions {
  std::string input, lock, key, pkcs11, store, cache;
  std::vector<std::string> mirrors, secrets;
  std::optional<std::string> secrets_key;
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

void print_plan(const BuildInput& input, const IndexVerdict& index,
                const std::vector<PlannedLayer>& plan, bool json) {
  std::size_t make = 0, fetch = 0;
  ByteCount bytes;
  ordered_json layers = ordered_json::array();
  for (const PlannedLayer& layer : plan) {
    const bool fetches = !layer.cached && !layer.fetched;
    make += layer.cached ? 0 : 1;
    fetch += fetches ? 1 : 0;
    if (fetches) bytes.value += layer.package->size.value;
    layers.push_back({{"package", layer.package->name},
                      {"version", layer.package->version},
                      {"fetch", fetches},
                      {"make", !layer.cached}});
  }
  if (json) {
    const ordered_json out = {{"release", input.lock.name.string()},
                              {"lock_digest", input.lock_digest.string()},
                              {"index", name_of(index.check)},
                              {"fetch_bytes", bytes.value},
                              {"layers", layers}};
    std::puts(out.dump(2).c_str());
    return;
  }
  std::printf("would build release %s from %s\n", input.lock.name.string().c_str(),
              input.lock_path.c_str());
  std::printf("  fetch  %zu packages, %s\n", fetch, print(bytes).c_str());
  std::printf("  make   %zu layers of packages; %zu are in the store\n", make, plan.size() - make);
  for (const PlannedLayer& layer : plan) {
    if (layer.cached) continue;
    std::printf("    %s %s%s\n", layer.package->name.c_str(), layer.package->version.c_str(),
                layer.fetched ? "" : " (fetch)");
  }
}

void print_outcome(const BuildOptions& given, const BuildOutcome& outcome) {
  const manifests::Release& release = outcome.release;
  if (given.json) {
    ordered_json out = {{"release", release.name.string()},
                        {"store", given.store},
                        {"release_digest", outcome.digest.string()},
                        {"lock_digest", release.lock_digest.string()},
                        {"kernel", release.kernel.release},
                        {"packages", release.packages.size()},
                        {"layers", release.layers.size()},
                        {"index", name_of(outcome.index.check)},
                        {"layers_built", outcome.layers_built},
                        {"layers_reused", outcome.layers_reused},
                        {"bytes", size_of(release).value},
                        {"scanned_files", release.scan.files},
                        {"scanned_bytes", release.scan.bytes},
                        {"fetch_seconds", seconds(outcome.fetching)},
                        {"build_seconds", seconds(outcome.building)},
                        {"sign_seconds", seconds(outcome.signing)}};
    if (release.scan.own_keys) out["own_keys_searched"] = release.scan.own_keys->count;
    std::puts(out.dump(2).c_str());
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
  std::printf("  time      fetching %.2f s, building %.2f s, signing %.4f s\n",
              seconds(outcome.fetching), seconds(outcome.building), seconds(outcome.signing));
}

Status plan(const BuildOptions& given, const BuildInput& input, const Cache& cache) {
  if (!given.key.empty()) TRY(read_file(given.key, kLargestKey));
  TRY_ASSIGN(const IndexVerdict index,
             hold_to_index(input, cache, demand_of(given), Remembering::no));
  if (!given.json) print_index_note("build", input.lock_path, index);
  TRY_ASSIGN(const auto planned, plan_build(input, cache, given.store));
  print_plan(input, index, planned, given.json);
  return {};
}

Status build(const BuildOptions& given) {
  TRY(check_mirrors(given.mirrors));
  TRY_ASSIGN(BuildInput input, read_build_input(given.input, given.lock));
  TRY_ASSIGN(const auto secrets, read_own_secrets(given.secrets, given.secrets_key));
  TRY_ASSIGN(SecretScanner scanner, SecretScanner::create(secrets));
  input.own_keys = scanner.own_keys();
  input.scanner = std::make_shared<const SecretScanner>(std::move(scanner));
  std::string cache_path = given.cache;
  if (cache_path.empty()) {
    TRY_ASSIGN(cache_path, Cache::default_path());
  }
  TRY_ASSIGN(const Cache cache, Cache::open_or_create(cache_path));
  if (given.plan) return plan(given, input, cache);
  // First, so that a person who must type a passphrase need not wait for it.
  std::optional<keys::SigningSecretKey> key;
  std::optional<keys::Pkcs11Key> device_key;
  std::optional<keys::Signer> signer;
  if (!given.key.empty()) {
    TRY_ASSIGN(key, keys::read_secret_key(given.key));
    signer = keys::signer_with(*key);
  } else if (!given.pkcs11.empty()) {
    TRY_ASSIGN(device_key, keys::Pkcs11Key::open(given.pkcs11));
    signer = device_key->signer();
  }
  std::optional<Progress> progress(std::in_place);
  auto outcome = build_release(input, cache, given.store, signer, given.mirrors, *progress,
                               given.replace ? Replacing::yes : Replacing::no, demand_of(given));
  progress.reset();
  TRY(outcome);
  if (!given.json) print_index_note("build", input.lock_path, outcome->index);
  print_outcome(given, *outcome);
  return {};
}

}  // namespace

int run_build(const Arguments& args) {
  BuildOptions given;
  CommandLine line{
      .name = "build",
      .positional = "MANIFEST|LOCK",
      .about =
          "Makes a release from a lock: fetches its packages, turns each into a layer, checks the\n"
          "image, signs and stores it. Given a manifest, uses the lock beside it.",
      .examples =
          "  weir-builder build gateway.yaml --key release.key --store store\n"
          "  weir-builder build gateway.lock.json --store store --plan\n"
          "  weir-builder build gateway.yaml --key release.key --store store --secrets fleet/keys "
          "--secrets-key-file gateway.seal\n"};
  line.options.add_options()("key", options::value(&given.key)->value_name("FILE"),
                             "minisign secret key that signs the release (weir-keys generate)")(
      "pkcs11", options::value(&given.pkcs11)->value_name("URI"),
      "signs with a key in a token or hardware module, in place of --key")(
      "unsigned", options::bool_switch(&given.without_signature),
      "leaves the signature to another machine (export-digest, attach-signature)")(
      "store", options::value(&given.store)->value_name("DIR")->required(),
      "where releases go; made where there is none")(
      "lock", options::value(&given.lock)->value_name("LOCK"),
      "the manifest's lock; default: beside it, with .lock.json")(
      "cache", options::value(&given.cache)->value_name("DIR"),
      "default: $XDG_CACHE_HOME/weir or ~/.cache/weir")(
      "mirror", options::value(&given.mirrors)->value_name("[SUITE=]URL")->composing(),
      "asks this archive instead of the ones apt is configured for; can be repeated")(
      "secrets", options::value(&given.secrets)->value_name("PATH")->composing(),
      "refuses an image that holds this key: a sealed identity, WireGuard key, minisign secret key "
      "or key file, or a folder of such; can be repeated")(
      "secrets-key-file",
      options::value<std::string>()->value_name("FILE")->notifier(
          [&](const std::string& file) { given.secrets_key = file; }),
      "opens the sealed identities of --secrets, and is looked for too; default: a passphrase")(
      "require-index", options::bool_switch(&given.require_index),
      "refuses a lock that cannot be held to the signed indices again, because the cache or the "
      "keyring is not here")(
      "replace", options::bool_switch(&given.replace),
      "overwrites a release of the same name, channel and version that is another document: only "
      "where nobody has seen it yet")("plan", options::bool_switch(&given.plan),
                                      "shows what would be done and does nothing")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.input)) return *code;
  const int ways = (given.key.empty() ? 0 : 1) + (given.pkcs11.empty() ? 0 : 1) +
                   (given.without_signature ? 1 : 0);
  if (ways > 1 || (ways == 0 && !given.plan)) {
    std::fputs(
        "weir-builder build: which --key signs the release? (or --pkcs11, or --unsigned; --help "
        "explains)\n",
        stderr);
    return 2;
  }
  const Status done = build(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
