#include "manifests/lock.h"

#include <boost/program_options.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/edge/commands/commands.h"
#include "builder/edge/node_programs.h"
#include "builder/edge/progress.h"
#include "builder/edge/suites.h"
#include "builder/lock_changes.h"
#include "builder/solver.h"
#include "manifests/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

constexpr ByteCount kMaxDocument{1ULL << 20};
constexpr ByteCount kMaxLock{64ULL << 20};

struct LockOptions {
  std::string manifest, out, cache;
  std::vector<std::string> mirrors;
  bool json = false;
  bool plan = false;
};

struct LockOutcome {
  manifests::Lock lock;
  std::string text;
  std::optional<manifests::Lock> before;
};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string default_out(const std::string& manifest) {
  for (const std::string_view extension : {".yaml", ".yml"}) {
    if (manifest.ends_with(extension)) {
      return manifest.substr(0, manifest.size() - extension.size()) + ".lock.json";
    }
  }
  return manifest + ".lock.json";
}

Result<LockOutcome> make_lock(const LockOptions& given) {
  TRY_ASSIGN(const auto text, read_file(given.manifest, kMaxDocument));
  TRY_ASSIGN(const auto manifest, manifests::parse_image_manifest(text, given.manifest));
  TRY_ASSIGN(const auto mirrors, read_mirrors(manifest.sources.suites, given.mirrors));
  TRY_ASSIGN(const auto cache, Cache::open_or_create(given.cache));
  TRY_ASSIGN(const auto folder, node_program_folder(manifest, given.manifest));
  TRY_ASSIGN(auto programs, lock_programs(folder, cache));

  Progress progress;
  progress.step("reading package indices");
  const std::string keyring = manifest.sources.keyring.starts_with('/')
                                  ? manifest.sources.keyring
                                  : folder_of(given.manifest) + "/" + manifest.sources.keyring;
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  TRY_ASSIGN(auto suites, fetch_suites(manifest, keyring, mirrors, cache, now.count(),
                                       progress.download_observer()));
  progress.step("resolving");
  TRY_ASSIGN_IN(auto resolution, resolve(manifest, suites.indices), given.manifest);
  LockOutcome out{.lock = {.name = manifest.name,
                           .architecture = manifest.architecture,
                           .manifest_digest = Digest::of(as_bytes(text)),
                           .source_epoch = suites.newest_date,
                           .sources = std::move(suites.sources),
                           .kernel = std::move(resolution.kernel),
                           .packages = std::move(resolution.packages),
                           .provides = manifest.provides,
                           .accept_scripts = manifest.accept_scripts,
                           .programs = std::move(programs),
                           .builder_version = WEIR_VERSION},
                  .text = "",
                  .before = std::nullopt};
  out.text = manifests::print(out.lock);
  if (const auto old = read_file(given.out, kMaxLock)) {
    if (auto parsed = manifests::parse_lock(*old)) out.before = std::move(*parsed);
  }
  if (!given.plan) TRY(write_file(given.out, out.text));
  return out;
}

void print_json(const LockOptions& given, const LockOutcome& outcome) {
  nlohmann::ordered_json out = {{"lock", given.out},
                                {"written", !given.plan},
                                {"lock_digest", Digest::of(as_bytes(outcome.text)).string()},
                                {"kernel", outcome.lock.kernel},
                                {"packages", outcome.lock.packages.size()}};
  out["changes"] = nullptr;
  if (outcome.before) {
    out["changes"] = nlohmann::ordered_json::array();
    for (const auto& change : changes(*outcome.before, outcome.lock)) {
      nlohmann::ordered_json item = {{"name", change.name}, {"from", nullptr}, {"to", nullptr}};
      if (change.from) item["from"] = *change.from;
      if (change.to) item["to"] = *change.to;
      out["changes"].push_back(std::move(item));
    }
  }
  std::puts(out.dump(2).c_str());
}

void print_text(const LockOptions& given, const LockOutcome& outcome) {
  std::uint64_t bytes = 0;
  for (const auto& package : outcome.lock.packages) bytes += package.size.value;
  std::printf("%s %s\n", given.plan ? "would write" : "wrote", given.out.c_str());
  std::printf("  digest    %s\n", Digest::of(as_bytes(outcome.text)).string().c_str());
  for (const auto& package : outcome.lock.packages) {
    if (package.name == outcome.lock.kernel) {
      std::printf("  kernel    %s %s\n", package.name.c_str(), package.version.c_str());
    }
  }
  std::printf("  packages  %zu, %s\n", outcome.lock.packages.size(),
              print(ByteCount{bytes}).c_str());
  if (!outcome.before) return;
  const auto list = changes(*outcome.before, outcome.lock);
  std::printf("  changes   %s\n", list.empty() ? "none" : std::to_string(list.size()).c_str());
  for (const auto& change : list) {
    std::printf("    %-40s %s -> %s\n", change.name.c_str(), change.from.value_or("(new)").c_str(),
                change.to.value_or("(gone)").c_str());
  }
}

}  // namespace

int run_lock(const Arguments& args) {
  LockOptions given;
  options::options_description visible("options");
  visible.add_options()("help,h", "prints this")(
      "out", options::value(&given.out)->value_name("LOCK"),
      "where to write; default: MANIFEST with .lock.json")(
      "mirror", options::value(&given.mirrors)->value_name("[SUITE=]URL")->composing(),
      "asks this archive instead of the ones apt is configured for; can be repeated")(
      "cache", options::value(&given.cache)->value_name("DIR"),
      "default: $XDG_CACHE_HOME/weir or ~/.cache/weir")("json", options::bool_switch(&given.json),
                                                        "prints the result as JSON")(
      "plan", options::bool_switch(&given.plan), "shows what would change and writes nothing");
  options::options_description all;
  all.add(visible).add_options()("manifest", options::value(&given.manifest));
  options::positional_options_description positional;
  positional.add("manifest", 1);
  const auto usage = [&](std::ostream& out) {
    out << "usage: weir-builder lock MANIFEST [options]\n\n"
           "Chooses an exact version of every package an image needs, from signed indices only, "
           "and\n"
           "writes them down.\n\n"
        << visible
        << "\nexamples:\n"
           "  weir-builder lock examples/gateway-6.1.yaml\n"
           "  weir-builder lock gateway.yaml --plan\n"
           "  weir-builder lock gateway.yaml --mirror "
           "bookworm-security=https://mirror.example/sec\n";
  };
  try {
    options::variables_map parsed;
    options::store(options::command_line_parser(args).options(all).positional(positional).run(),
                   parsed);
    options::notify(parsed);
    if (parsed.count("help") != 0) {
      usage(std::cout);
      return 0;
    }
  } catch (const options::error& e) {
    std::fprintf(stderr, "weir-builder lock: %s\n", e.what());
    return 2;
  }
  if (given.manifest.empty()) {
    std::fputs("weir-builder lock: which manifest? (--help explains)\n", stderr);
    return 2;
  }
  if (given.out.empty()) given.out = default_out(given.manifest);
  const auto fail_with = [](const Error& error) {
    std::fprintf(stderr, "weir-builder lock: %s\n", error.message.c_str());
    return 1;
  };
  if (given.cache.empty()) {
    auto path = Cache::default_path();
    if (!path) return fail_with(path.error());
    given.cache = std::move(*path);
  }
  const auto outcome = make_lock(given);
  if (!outcome) return fail_with(outcome.error());
  if (given.json) {
    print_json(given, *outcome);
  } else {
    print_text(given, *outcome);
  }
  return 0;
}

}  // namespace weir::builder
