#include "builder/boot_check/edge/boot_check.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/boot_check/boot_spans.h"
#include "builder/commands/edge/json_output.h"
#include "builder/commands/edge/trust_options.h"
#include "builder/release/edge/statements.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/signing_key.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

struct BootCheckOptions {
  std::string name, store, sign_with, pkcs11, log, memory = "512MiB";
  std::vector<std::string> node_files;
  std::uint32_t timeout = 180;
  TrustOptions trust;
  bool json = false, plan = false;
};

double seconds(std::uint64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1000;
}

void print_plan(const BootCheckOptions& given, const keys::Verified<manifests::Release>& release,
                const BootCheckSettings& settings) {
  const std::string who = !given.sign_with.empty() ? given.sign_with : given.pkcs11;
  const std::string place = given.store + "/statements/" + release.digest().hex();
  if (given.json) {
    const ordered_json out = {{"release", release->name.string()},
                              {"release_digest", release.digest().string()},
                              {"memory", settings.memory.value},
                              {"timeout_seconds", settings.timeout.count()},
                              {"node_files", settings.node_files},
                              {"sign_with", who.empty() ? ordered_json() : ordered_json(who)},
                              {"statements", place}};
    print_result(out);
    return;
  }
  std::printf("would boot release %s (signed by %s), as root\n", release->name.string().c_str(),
              release.signer().c_str());
  std::printf("  digest    %s\n", release.digest().string().c_str());
  std::printf("  machine   QEMU with %s, everything up within %lld s\n",
              print(settings.memory).c_str(), static_cast<long long>(settings.timeout.count()));
  for (const std::string& file : settings.node_files) {
    std::printf("  file      %s\n", printable(file).c_str());
  }
  std::printf("  peer      wireguard-go: one handshake, data both ways, IPv4 and IPv6\n");
  if (who.empty()) {
    std::printf("  sign      nothing: no --sign-with\n");
  } else {
    std::printf("  sign      with %s, into %s\n", who.c_str(), place.c_str());
  }
}

void print_json(const BootCheckOutcome& outcome, const std::string& path) {
  ordered_json differences = ordered_json::array();
  for (const auto& each : outcome.differences) {
    differences.push_back({{"fact", each.fact}, {"release", each.want}, {"node", each.got}});
  }
  const ordered_json out = {{"release", outcome.statement.release.string()},
                            {"release_digest", outcome.statement.release_digest.string()},
                            {"passed", outcome.differences.empty()},
                            {"differences", differences},
                            {"statement", ordered_json::parse(outcome.json)},
                            {"signed", path.empty() ? ordered_json() : ordered_json(path)}};
  print_result(out);
}

void print_text(const BootCheckOutcome& outcome, const std::string& signer,
                const std::string& path) {
  const auto& statement = outcome.statement;
  const char* name = statement.release.string().c_str();
  if (outcome.differences.empty()) {
    std::printf("release %s boots: handshake and data both ways, and it is what was released\n",
                name);
  } else {
    std::printf("release %s boots, but it is NOT what was released\n", name);
    for (const auto& each : outcome.differences) {
      std::printf("  the node %s\n", print(each).c_str());
    }
  }
  std::printf("  machine   %s\n", statement.machine.c_str());
  std::printf("  peer      %s\n", statement.peer.c_str());
  std::printf("  kernel    %s\n", statement.facts.kernel_release.c_str());
  std::printf("  attested  lock digest, kernel, %zu modules, %zu tools\n",
              statement.facts.modules.size(), statement.facts.tools.size());
  std::printf("  data      %s there and %s back, compared byte by byte\n",
              print(ByteCount{statement.traffic.sent}).c_str(),
              print(ByteCount{statement.traffic.received}).c_str());
  std::printf("  time      %.2f s from power-on to the first handshake, of which\n",
              seconds(time_of(statement.timeline, manifests::kHandshakeStep)));
  for (const BootSpan& span : spans_to_handshake(statement.timeline)) {
    std::printf("    %7.2f s  %s\n", seconds(span.milliseconds), span.what.c_str());
  }
  if (!path.empty()) std::printf("  signed    by %s: %s\n", signer.c_str(), path.c_str());
}

// Whether it passed.
Result<bool> boot_check(const BootCheckOptions& given) {
  if (!given.plan) TRY(check_right_to_boot());
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  BootCheckSettings settings;
  TRY_ASSIGN_IN(settings.memory, parse_byte_count(given.memory), "--memory");
  settings.timeout = std::chrono::seconds(given.timeout);
  settings.node_files = given.node_files;
  settings.log = given.log;
  TRY_ASSIGN(auto basis, read_basis(given.trust, {.roles = false}, given.plan));
  TRY_ASSIGN(images::FolderStore store, images::FolderStore::open(given.store));
  TRY_ASSIGN(const auto trusted, verify_stored(store, name, std::move(basis)));
  TRY(check_memory(*trusted.release, settings.memory));
  TRY(check_node_files_of(store, *trusted.release, settings.node_files));
  if (!given.sign_with.empty() || !given.pkcs11.empty()) {
    TRY(check_folders(given.store + "/statements"));
  }
  if (!given.log.empty()) TRY_IN(check_destination(given.log), "--log");
  if (given.plan) {
    TRY(keys::SigningKey::check(given.sign_with, given.pkcs11));
    print_plan(given, trusted.release, settings);
    return true;
  }
  // First, so that a person who must type a passphrase need not wait for it.
  std::optional<keys::SigningKey> key;
  if (!given.sign_with.empty() || !given.pkcs11.empty()) {
    TRY_ASSIGN(key, keys::SigningKey::open(given.sign_with, given.pkcs11));
  }
  TRY_ASSIGN(const auto outcome, boot_check_release(store, trusted.release, settings));
  const bool passed = outcome.differences.empty();
  std::string path, who;
  if (key && passed) {
    who = keys::print(key->public_key().id);
    TRY_ASSIGN(path, write_signed_statement(store, keys::StatementKind::boot_check, name,
                                            trusted.release.digest(), outcome.json, key->signer()));
  }
  if (passed) TRY(remember_accepted(trusted));
  if (given.json) {
    print_json(outcome, path);
  } else {
    print_text(outcome, who, path);
  }
  return passed;
}

Status check(const BootCheckOptions& given) {
  TRY(says_who_is_trusted(given.trust));
  if (!given.sign_with.empty() && !given.pkcs11.empty()) {
    return fail(Errc::invalid_input, "--sign-with or --pkcs11, not both");
  }
  if (given.timeout == 0 || given.timeout > 3600) {
    return fail(Errc::invalid_input, "--timeout must be from 1 to 3600 seconds");
  }
  return {};
}

}  // namespace

Command boot_check_command() {
  auto given = std::make_shared<BootCheckOptions>();
  return {
      .name = "boot-check",
      .summary = "boots a release, has a peer talk to it, and states so",
      .about =
          "Boots a release in QEMU, has a wireguard-go peer complete a handshake with it and move\n"
          "data both ways, waits until each of its services is ready, and compares what the node\n"
          "says of itself with the release. With --sign-with, a release that passed gets a signed\n"
          "statement, which weir-builder verify and a fleet can demand. Needs root. Exit status: 0 "
          "passed, 1 not.",
      .examples =
          "  weir-builder boot-check gateway-6.12 --store store --key release.pub\n"
          "  weir-builder boot-check gateway-6.12 --store store --trust trust.json --sign-with "
          "lab.key\n"
          "  weir-builder verify gateway-6.12 --store store --key release.pub --boot-checked-by 1 "
          "--checker lab.pub\n",
      .takes = Positional{"RELEASE", &given->name},
      .options =
          with_trust({{"store", "DIR", &given->store, "where the release is", Need::required},
                      {"sign-with", "FILE", &given->sign_with,
                       "minisign secret key: puts a signed statement beside a release that passed"},
                      {"pkcs11", "URI", &given->pkcs11,
                       "signs with a key in a token or hardware module, in place of --sign-with"},
                      {"memory", "SIZE", &given->memory, "of the machine"},
                      {"timeout", "SECONDS", &given->timeout,
                       "from power-on until the node, its data and its services must be up"},
                      {"node-file", "NAME=FILE", &given->node_files,
                       "a file that services are to be given by this name; may be repeated"},
                      {"log", "FILE", &given->log,
                       "keeps what the node's kernel, weir-init, weir-node and services said"},
                      {"plan", "", &given->plan,
                       "checks the release and shows what would be done; needs no root"},
                      {"json", "", &given->json, "prints the result as JSON"}},
                     1, given->trust),
      .check = [given] { return check(*given); },
      .run = [given]() -> Result<Exit> {
        TRY_ASSIGN(const bool passed, boot_check(*given));
        return passed ? Exit::done : Exit::failed;
      }};
}

}  // namespace weir::builder
