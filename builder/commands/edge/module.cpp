#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/fetch_options.h"
#include "builder/commands/edge/index_note.h"
#include "builder/commands/edge/json_output.h"
#include "builder/commands/edge/module_key.h"
#include "builder/dkms/edge/compile.h"
#include "builder/kernel/module_signing.h"
#include "builder/lock/edge/lock_index.h"
#include "builder/lock/edge/locked_image.h"
#include "builder/release/edge/own_modules.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

struct ModuleOptions {
  std::string input, lock, cache, out;
  std::optional<std::string> module_key;
  FetchOptions fetching;
  bool again = false, plan = false, json = false, require_index = false;
};

std::string signed_with(const NamedModule& module) {
  const auto signature = read_module_signature(*module.content);
  return signature && *signature ? (*signature)->key : std::string();
}

ordered_json to_json(const NamedModule& module, const OwnModules& own) {
  const manifests::ModuleOrigin& origin = own.origins.at(module.name);
  const std::string key = signed_with(module);
  return {{"name", module.name},
          {"package", module.package},
          {"version", origin.version},
          {"package_digest", origin.package_digest.string()},
          {"dkms_conf", origin.dkms_conf.string()},
          {"compiled", origin.compiled.string()},
          {"digest", Digest::of(*module.content).string()},
          {"signature_key", key.empty() ? ordered_json() : ordered_json(key)}};
}

void print_plan(const ModuleOptions& given, const BuildInput& input, const OwnModules& own,
                const std::optional<KernelCertificate>& signer,
                const std::vector<manifests::LockedPackage>& fetch) {
  std::uint64_t bytes = 0;
  for (const auto& package : fetch) bytes += package.size.value;
  const auto& build = *input.lock.module_build;
  if (given.json) {
    print_result(
        {{"compile", own.uncompiled},
         {"headers", build.headers},
         {"packages", build.packages.size()},
         {"fetch", fetch.size()},
         {"fetch_bytes", bytes},
         {"doubts", own.doubts},
         {"module_signer", signer ? ordered_json(signer->subject) : ordered_json()},
         {"module_key", given.module_key ? ordered_json(*given.module_key) : ordered_json()}});
    return;
  }
  for (const std::string& doubt : own.doubts) std::printf("  note   %s\n", doubt.c_str());
  const std::string signing = describe_signing(given.module_key, signer);
  if (own.uncompiled.empty()) {
    std::puts("would compile nothing: the cache has the modules of all DKMS packages");
    std::printf("  sign   %s\n", signing.c_str());
    return;
  }
  for (const std::string& package : own.uncompiled) {
    std::printf("would compile %s with %s and %zu packages more\n", package.c_str(),
                build.headers.c_str(), build.packages.size() - 2);
  }
  std::printf("  fetch  %zu packages, %s\n", fetch.size(), print(ByteCount{bytes}).c_str());
  std::printf("  sign   %s\n", signing.c_str());
}

void print_modules(const ModuleOptions& given, const OwnModules& own) {
  ordered_json list = ordered_json::array();
  for (const NamedModule& module : own.modules) {
    if (!own.origins.contains(module.name)) continue;
    if (given.json) {
      list.push_back(to_json(module, own));
      continue;
    }
    const std::string key = signed_with(module);
    std::printf("%s of %s %s\n", module.name.c_str(), module.package.c_str(),
                own.origins.at(module.name).version.c_str());
    std::printf("  digest  %s\n", Digest::of(*module.content).string().c_str());
    std::printf("  signed  %s\n", key.empty() ? "no" : ("with key " + key).c_str());
  }
  if (given.json) print_result({{"modules", list}});
}

Status write_modules(const std::string& folder, const OwnModules& own) {
  TRY(make_folders(folder));
  for (const NamedModule& module : own.modules) {
    if (!own.origins.contains(module.name)) continue;
    const auto& bytes = *module.content;
    TRY(write_file(folder + "/" + module.name + ".ko",
                   {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  return {};
}

Status compile_modules(const ModuleOptions& given) {
  TRY_ASSIGN(const MirrorRequest request, request_of(given.fetching));
  TRY_ASSIGN(LockedImage locked, read_locked_image(given.input, given.lock));
  BuildInput input{std::move(locked)};
  if (!input.lock.module_build) {
    return fail(Errc::invalid_input, input.manifest_path +
                                         ": no module is compiled: write it into `modules`, as "
                                         "{name: …, dkms: …}, and lock again");
  }
  std::string cache_path = given.cache;
  if (cache_path.empty()) {
    TRY_ASSIGN(cache_path, Cache::default_path());
  }
  TRY_ASSIGN(const Cache cache,
             given.plan ? Cache::open_for_plan(cache_path) : Cache::open_or_create(cache_path));
  if (!given.out.empty()) TRY_IN(check_folders(given.out), "--out");
  TRY_ASSIGN(const auto signer, module_signer_of(input.lock));
  if (given.module_key && given.plan) {
    TRY(check_module_key(*given.module_key, signer));
    input.signs_later = true;
  } else if (given.module_key) {
    TRY_ASSIGN(input.module_key, read_module_key(*given.module_key, signer));
  }
  const auto demand = given.require_index ? IndexDemand::always : IndexDemand::where_there;
  TRY_ASSIGN(const IndexVerdict index, hold_to_index(input, cache, demand, Remembering::no));
  if (!given.json) print_index_note(input.lock_path, index);
  input.compile_again = given.again;
  if (given.plan) {
    TRY_ASSIGN(const OwnModules known, known_modules(input, cache));
    print_plan(given, input, known, signer,
               known.uncompiled.empty()
                   ? std::vector<manifests::LockedPackage>()
                   : to_fetch({*input.lock.module_build, input.lock.architecture}, cache));
    return {};
  }
  std::optional<Progress> progress(std::in_place);
  const auto made = make_own_modules(input, cache, request, *progress);
  progress.reset();
  TRY(made);
  if (!given.out.empty()) TRY(write_modules(given.out, *made));
  print_modules(given, *made);
  return {};
}

}  // namespace

Command module_command() {
  auto given = std::make_shared<ModuleOptions>();
  return {
      .name = "module",
      .summary = "compiles the modules that a lock takes from DKMS packages",
      .about =
          "Compiles the modules that a manifest takes from DKMS packages (modules: dkms), for the\n"
          "locked kernel and with the locked headers and compiler alone: in namespaces of its "
          "own,\n"
          "without a network. Signs them where the manifest names a module_signer. The cache "
          "keeps\n"
          "them, and weir-builder build takes them from there, or compiles what is missing.",
      .examples =
          "  weir-builder module gateway.yaml\n"
          "  weir-builder module gateway.yaml --plan\n"
          "  weir-builder module gateway.yaml --module-key modules.key --out modules\n"
          "  weir-builder module gateway.lock.json --again --json\n",
      .takes = Positional{"MANIFEST|LOCK", &given->input},
      .options = with_fetching(
          {{"module-key", "FILE", &given->module_key,
            "private key (PEM) of the manifest's module_signer; signatures are kept in the cache"},
           {"out", "DIR", &given->out, "also writes the modules there, as NAME.ko"},
           {"again", "", &given->again, "compiles also what the cache has"},
           {"lock", "LOCK", &given->lock,
            "the manifest's lock; default: beside it, with .lock.json"},
           {"cache", "DIR", &given->cache, "default: $XDG_CACHE_HOME/weir or ~/.cache/weir"},
           {"require-index", "", &given->require_index,
            "refuses a lock that cannot be held to the signed indices again"},
           {"plan", "", &given->plan, "shows what would be compiled and fetched, and does nothing"},
           {"json", "", &given->json, "prints the result as JSON"}},
          5, Fetched::packages, given->fetching),
      .run = [given]() -> Result<Exit> {
        TRY(compile_modules(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
