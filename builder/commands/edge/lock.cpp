#include "manifests/documents/lock.h"

#include <cstdio>
#include <optional>

#include "builder/commands/edge/command_line.h"
#include "builder/commands/edge/lock_output.h"
#include "builder/lock/edge/make_lock.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

constexpr int kNeedsAPerson = 4;

std::string default_out(const std::string& manifest) {
  for (const std::string_view extension : {".yaml", ".yml"}) {
    if (manifest.ends_with(extension)) {
      return manifest.substr(0, manifest.size() - extension.size()) + ".lock.json";
    }
  }
  return manifest + ".lock.json";
}

Result<int> lock(LockRequest request, bool plan, bool json) {
  if (request.out.empty()) request.out = default_out(request.manifest);
  if (request.cache.empty()) {
    TRY_ASSIGN(request.cache, Cache::default_path());
  }
  if (!request.check) TRY(check_destination(request.out));
  TRY_ASSIGN(const LockOutcome outcome, make_lock(request));
  if (request.check) return print_lock_check(outcome, request.out, json) ? 0 : kNeedsAPerson;
  if (!plan) TRY(write_file(request.out, outcome.text));
  print_lock(outcome, request.out, !plan, json);
  return 0;
}

}  // namespace

int run_lock(const Arguments& args) {
  LockRequest request;
  std::vector<std::string> updates;
  bool json = false, plan = false;
  CommandLine line{
      .name = "lock",
      .positional = "MANIFEST",
      .about =
          "Chooses an exact version of every package an image needs, from signed indices only, "
          "and\n"
          "writes them down. Everything moves to its newest version; with --update PACKAGE, only\n"
          "that package, and what is new, does.",
      .examples =
          "  weir-builder lock examples/gateway-6.1.yaml\n"
          "  weir-builder lock gateway.yaml --plan\n"
          "  weir-builder lock gateway.yaml --check && echo nothing is newer\n"
          "  weir-builder lock gateway.yaml --update kernel\n"
          "  weir-builder lock gateway.yaml --update libssl3 'libgssapi*' weir-node\n"
          "  weir-builder lock gateway.yaml --mirror "
          "bookworm-security=https://mirror.example/sec\n"};
  line.options.add_options()("out", options::value(&request.out)->value_name("LOCK"),
                             "where to write; default: MANIFEST with .lock.json")(
      "update",
      options::value(&updates)
          ->value_name("[PACKAGE...]")
          ->zero_tokens()
          ->multitoken()
          ->composing(),
      "moves only these packages or programs of a lock that is there, or, without a name, all; * "
      "stands for any characters, \"kernel\" for the kernel. Stands after MANIFEST")(
      "check", options::bool_switch(&request.check),
      "tells what is newer than the lock that is there and what has left the mirror, and writes "
      "nothing; exit status 0: it is current, 4: it is not")(
      "mirror", options::value(&request.mirrors)->value_name("[SUITE=]URL")->composing(),
      "asks this archive instead of the ones apt is configured for; can be repeated")(
      "cache", options::value(&request.cache)->value_name("DIR"),
      "default: $XDG_CACHE_HOME/weir or ~/.cache/weir")("json", options::bool_switch(&json),
                                                        "prints the result as JSON")(
      "plan", options::bool_switch(&plan), "shows what would change and writes nothing");
  if (const auto code = parse_command_line(line, args, &request.manifest)) return *code;
  for (const auto& arg : args) {
    if (arg == "--update" || arg.starts_with("--update=")) request.updates = updates;
  }
  if (request.check && request.updates) {
    std::fputs("weir-builder lock: --check and --update are two things (--help explains)\n",
               stderr);
    return 2;
  }
  const auto code = lock(request, plan, json);
  return code ? *code : report(line, code.error());
}

}  // namespace weir::builder
