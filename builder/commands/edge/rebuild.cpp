#include "builder/release/edge/rebuild.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/fetch_options.h"
#include "builder/commands/edge/index_note.h"
#include "builder/commands/edge/json_output.h"
#include "builder/commands/edge/trust_options.h"
#include "builder/release/describe.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/signing_key.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

struct RebuildOptions {
  std::string name, store, cache, key, pkcs11;
  FetchOptions fetching;
  TrustOptions signers;
  bool json = false, plan = false, require_index = false;
};

void print_json(const RebuildOutcome& outcome, bool signed_) {
  ordered_json differences = ordered_json::array();
  for (const auto& each : outcome.differences) {
    differences.push_back(
        {{"field", each.field}, {"stored", each.stored}, {"rebuilt", each.rebuilt}});
  }
  const ordered_json out = {{"release", outcome.statement.release.string()},
                            {"identical", outcome.differences.empty()},
                            {"release_digest", outcome.statement.release_digest.string()},
                            {"rebuilt_digest", outcome.rebuilt.string()},
                            {"lock_digest", outcome.statement.lock_digest.string()},
                            {"stored_builder", outcome.stored_builder},
                            {"builder", outcome.statement.builder_version},
                            {"differences", differences},
                            {"index", name_of(outcome.index.check)},
                            {"signed", signed_}};
  print_result(out);
}

void print_text(const RebuildOutcome& outcome, const std::string& signer) {
  const char* name = outcome.statement.release.string().c_str();
  if (outcome.differences.empty()) {
    std::printf("release %s is bit-identical: made again from its lock, it has the same digest\n",
                name);
  } else {
    std::printf("release %s DIFFERS: made again from its lock, it is not the same\n", name);
  }
  std::printf("  lock      %s\n", outcome.statement.lock_digest.string().c_str());
  std::printf("  stored    %s\n", outcome.statement.release_digest.string().c_str());
  std::printf("  rebuilt   %s\n", outcome.rebuilt.string().c_str());
  std::printf("  builder   %s\n", outcome.statement.builder_version.c_str());
  if (outcome.stored_builder != outcome.statement.builder_version) {
    std::printf("  it was built by %s: another builder or compressor makes other bytes\n",
                printable(outcome.stored_builder).c_str());
  }
  for (const auto& each : outcome.differences) {
    std::printf("  %s\n    stored   %s\n    rebuilt  %s\n", printable(each.field).c_str(),
                each.stored.empty() ? "(not there)" : printable(each.stored).c_str(),
                each.rebuilt.empty() ? "(not there)" : printable(each.rebuilt).c_str());
  }
  if (!signer.empty()) std::printf("  signed    key %s says so\n", signer.c_str());
}

void print_plan(const RebuildOptions& given, const RebuildPlan& plan) {
  const std::string place = given.store + "/statements/" + plan.digest.hex();
  const bool signs = !given.key.empty() || !given.pkcs11.empty();
  const BuildSums sums = sums_of(plan.input, plan.layers);
  if (given.json) {
    const ordered_json out = {{"release", plan.name.string()},
                              {"release_digest", plan.digest.string()},
                              {"lock_digest", plan.release.lock_digest.string()},
                              {"stored_builder", plan.release.builder_version},
                              {"builder", builder_version()},
                              {"index", name_of(plan.index.check)},
                              {"packages", plan.layers.packages.size()},
                              {"fetch", sums.fetch},
                              {"fetch_bytes", sums.fetch_bytes.value},
                              {"statements", signs ? ordered_json(place) : ordered_json()}};
    print_result(out);
    return;
  }
  std::printf("would make release %s again\n", plan.name.string().c_str());
  std::printf("  stored    %s\n", plan.digest.string().c_str());
  std::printf("  lock      %s\n", plan.release.lock_digest.string().c_str());
  if (plan.release.builder_version != builder_version()) {
    std::printf("  it was built by %s, and this is %s: other bytes are likely\n",
                printable(plan.release.builder_version).c_str(), builder_version().c_str());
  }
  std::printf("  packages  %zu, of which %zu are fetched first (%s)\n", plan.layers.packages.size(),
              sums.fetch, print(sums.fetch_bytes).c_str());
  std::printf("  layers    all made again, in the cache, and thrown away\n");
  std::printf("  sign      %s\n", signs ? ("if it is the same, into " + place).c_str()
                                        : "nothing: no --key or --pkcs11");
}

// Whether it came out the same.
Result<bool> rebuild(const RebuildOptions& given) {
  TRY_ASSIGN(const MirrorRequest request, request_of(given.fetching));
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  std::optional<TrustBasis> basis;
  if (!given.signers.keys.empty() || !given.signers.trust.empty()) {
    TRY_ASSIGN(basis, read_basis(given.signers, {.roles = false}, given.plan));
  }
  TRY_ASSIGN(images::FolderStore store, images::FolderStore::open(given.store));
  std::optional<TrustedRelease> trusted;
  std::optional<images::StoredRelease> unverified;
  if (basis) {
    TRY_ASSIGN(trusted, verify_stored(store, name, std::move(*basis)));
  } else {
    TRY_ASSIGN(unverified, store.read_release(name));
  }
  // Never read again: a statement is about the bytes that were verified.
  const images::StoredRelease& stored = trusted ? trusted->stored : *unverified;
  std::string cache_path = given.cache;
  if (cache_path.empty()) {
    TRY_ASSIGN(cache_path, Cache::default_path());
  }
  TRY_ASSIGN(const Cache cache, Cache::open_or_create(cache_path));
  if (!given.key.empty() || !given.pkcs11.empty()) {
    TRY(check_folders(given.store + "/statements"));
  }
  const IndexDemand demand = given.require_index ? IndexDemand::always : IndexDemand::where_there;
  // First, so that a person who must type a passphrase need not wait for it.
  std::optional<keys::SigningKey> key;
  if (!given.plan && (!given.key.empty() || !given.pkcs11.empty())) {
    TRY_ASSIGN(key, keys::SigningKey::open(given.key, given.pkcs11));
  }
  TRY_ASSIGN(const RebuildPlan plan, plan_rebuild(store, stored, cache, demand));
  if (given.plan) {
    TRY(keys::SigningKey::check(given.key, given.pkcs11));
    if (!given.json) print_index_note("the release's lock", plan.index);
    print_plan(given, plan);
    return true;
  }
  std::optional<Progress> progress(std::in_place);
  const auto outcome = rebuild_release(plan, cache, request, *progress);
  progress.reset();
  TRY(outcome);
  const bool identical = outcome->differences.empty();
  const bool states = identical && key.has_value();
  if (states) TRY(write_rebuild_statement(store, *outcome, key->signer()));
  if (identical && trusted) TRY(remember_accepted(*trusted));
  if (!given.json) print_index_note("the release's lock", outcome->index);
  if (given.json) {
    print_json(*outcome, states);
  } else {
    print_text(*outcome, states ? keys::print(key->public_key().id) : "");
  }
  return identical;
}

Status check(const RebuildOptions& given) {
  TRY(trust_options_fit(given.signers, "signer"));
  if (given.key.empty() || given.pkcs11.empty()) return {};
  return fail(Errc::invalid_input, "--key or --pkcs11, not both");
}

}  // namespace

Command rebuild_command() {
  auto given = std::make_shared<RebuildOptions>();
  return {
      .name = "rebuild",
      .summary = "makes a release again and compares every bit",
      .about =
          "Makes a stored release again from its lock alone and tells whether every bit is the\n"
          "same. Nothing that was built before is used. Exit status: 0 bit-identical, 1 not.",
      .examples =
          "  weir-builder rebuild gateway-6.12 --store store\n"
          "  weir-builder rebuild gateway-6.12 --store store --plan\n"
          "  weir-builder rebuild gateway-6.12 --store store --trust trust.json --state "
          "trust.state "
          "\\\n    --pkcs11 'pkcs11:token=lab;object=ann'\n"
          "  weir-builder rebuild gateway-6.12 --store store --signer release.pub --key "
          "mine.key\n",
      .takes = Positional{"RELEASE", &given->name},
      .options = with_trust(
          with_fetching(
              {{"store", "DIR", &given->store, "where the release is", Need::required},
               {"key", "FILE", &given->key,
                "minisign secret key: puts a signed statement beside a release that came out the "
                "same"},
               {"pkcs11", "URI", &given->pkcs11,
                "signs with a key in a token or hardware module, in place of --key"},
               {"cache", "DIR", &given->cache, "default: $XDG_CACHE_HOME/weir or ~/.cache/weir"},
               {"require-index", "", &given->require_index,
                "refuses a lock that cannot be held to the signed indices again, because the cache "
                "or "
                "the "
                "keyring is not here"},
               {"plan", "", &given->plan,
                "checks the release and shows what would be done; writes nothing but the cache"},
               {"json", "", &given->json, "prints the result as JSON"}},
              4, Fetched::packages, given->fetching),
          3, given->signers, "signer"),
      .check = [given] { return check(*given); },
      .run = [given]() -> Result<Exit> {
        TRY_ASSIGN(const bool identical, rebuild(*given));
        return identical ? Exit::done : Exit::failed;
      }};
}

}  // namespace weir::builder
