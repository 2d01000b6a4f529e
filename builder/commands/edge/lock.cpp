#include "manifests/documents/lock.h"

#include <memory>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/fetch_options.h"
#include "builder/commands/edge/lock_output.h"
#include "builder/lock/edge/make_lock.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

std::string default_out(const std::string& manifest) {
  for (const std::string_view extension : {".yaml", ".yml"}) {
    if (manifest.ends_with(extension)) {
      return manifest.substr(0, manifest.size() - extension.size()) + ".lock.json";
    }
  }
  return manifest + ".lock.json";
}

struct LockOptions {
  LockRequest request;
  FetchOptions fetching;
  bool json = false, plan = false;
};

Result<Exit> lock(LockOptions given) {
  LockRequest& request = given.request;
  TRY_ASSIGN(request.mirrors, request_of(given.fetching));
  if (request.out.empty()) request.out = default_out(request.manifest);
  if (request.cache.empty()) {
    TRY_ASSIGN(request.cache, Cache::default_path());
  }
  const bool writes = !request.check && request.why.empty();
  if (writes) TRY(keys::check_output(request.out));
  TRY_ASSIGN(const LockOutcome outcome, make_lock(request));
  if (!request.why.empty()) {
    print_explanations(outcome.explanations, given.json);
    std::string unknown;
    for (const auto& each : outcome.explanations) {
      if (each.unknown) unknown += (unknown.empty() ? "" : ", ") + quotation(each.package);
    }
    if (unknown.empty()) return Exit::done;
    return fail(Errc::invalid_input, "--why: no suite has " + unknown);
  }
  if (request.check) {
    const bool current = print_lock_check(outcome, request.out, given.json);
    return current ? Exit::done : Exit::needs_person;
  }
  if (!given.plan) TRY(write_file(request.out, outcome.text));
  print_lock(outcome, request.out, !given.plan, given.json);
  return Exit::done;
}

Status check(const LockRequest& request) {
  if (request.check && request.updates) {
    return fail(Errc::invalid_input, "--check and --update are two things");
  }
  if (request.check && !request.why.empty()) {
    return fail(Errc::invalid_input, "--check and --why are two things");
  }
  return {};
}

}  // namespace

Command lock_command() {
  auto given = std::make_shared<LockOptions>();
  LockRequest& request = given->request;
  return {
      .name = "lock",
      .summary = "fixes every version of an image manifest",
      .about =
          "Chooses an exact version of every package an image needs, from signed indices only, "
          "and\n"
          "writes them down. Everything moves to its newest version; with --update PACKAGE, only\n"
          "that package, and what is new, does.",
      .examples =
          "  weir-builder lock examples/gateway-6.1.yaml\n"
          "  weir-builder lock gateway.yaml --plan\n"
          "  weir-builder lock gateway.yaml --check && echo nothing is newer\n"
          "  weir-builder lock gateway.yaml --why libsystemd0\n"
          "  weir-builder lock gateway.yaml --update kernel\n"
          "  weir-builder lock gateway.yaml --update libssl3 'libgssapi*' weir-node\n"
          "  weir-builder lock gateway.yaml --mirror "
          "bookworm-security=https://mirror.example/sec\n",
      .takes = Positional{"MANIFEST", &request.manifest},
      .options = with_fetching(
          {{"out", "LOCK", &request.out, "where to write; default: MANIFEST with .lock.json"},
           {"update", "[PACKAGE...]", &request.updates,
            "moves only these packages or programs of a lock that is there, or, without a name, "
            "all; * stands for any characters, \"kernel\" for the kernel. Stands after MANIFEST"},
           {"check", "", &request.check,
            "tells what is newer than the lock that is there and what has left the mirror, and "
            "writes nothing; exit status 0: it is current, 4: it is not"},
           {"why", "PACKAGE", &request.why,
            "tells how this package comes into the image, in this version and instead of which "
            "others, or why it does not, and writes nothing; can be repeated"},
           {"accept-expired", "SUITE", &request.accept_expired,
            "takes an index of this suite although its Valid-Until has passed, as a snapshot's "
            "has, and writes that into the lock; can be repeated"},
           {"cache", "DIR", &request.cache, "default: $XDG_CACHE_HOME/weir or ~/.cache/weir"},
           {"json", "", &given->json, "prints the result as JSON"},
           {"plan", "", &given->plan, "shows what would change and writes nothing"}},
          4, Fetched::indices, given->fetching),
      .check = [given] { return check(given->request); },
      .run = [given] { return lock(*given); }};
}

}  // namespace weir::builder
