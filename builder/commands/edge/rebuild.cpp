#include "builder/release/edge/rebuild.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/index_note.h"
#include "builder/commands/edge/trust_options.h"
#include "builder/release/describe.h"
#include "keys/signing/edge/signing_key.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;
using nlohmann::ordered_json;

struct RebuildOptions {
  std::string name, store, cache, key, pkcs11;
  std::vector<std::string> mirrors;
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
  std::puts(out.dump(2).c_str());
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
                outcome.stored_builder.c_str());
  }
  for (const auto& each : outcome.differences) {
    std::printf("  %s\n    stored   %s\n    rebuilt  %s\n", each.field.c_str(),
                each.stored.empty() ? "(not there)" : each.stored.c_str(),
                each.rebuilt.empty() ? "(not there)" : each.rebuilt.c_str());
  }
  if (!signer.empty()) std::printf("  signed    key %s says so\n", signer.c_str());
}

void print_plan(const RebuildOptions& given, const RebuildPlan& plan) {
  const std::string place = given.store + "/statements/" + plan.digest.hex();
  const bool signs = !given.key.empty() || !given.pkcs11.empty();
  if (given.json) {
    const ordered_json out = {{"release", plan.release.name.string()},
                              {"release_digest", plan.digest.string()},
                              {"lock_digest", plan.release.lock_digest.string()},
                              {"stored_builder", plan.release.builder_version},
                              {"builder", builder_version()},
                              {"index", name_of(plan.index.check)},
                              {"packages", plan.packages},
                              {"fetch", plan.packages - plan.fetched},
                              {"fetch_bytes", plan.to_fetch.value},
                              {"statements", signs ? ordered_json(place) : ordered_json()}};
    std::puts(out.dump(2).c_str());
    return;
  }
  std::printf("would make release %s again\n", plan.release.name.string().c_str());
  std::printf("  stored    %s\n", plan.digest.string().c_str());
  std::printf("  lock      %s\n", plan.release.lock_digest.string().c_str());
  if (plan.release.builder_version != builder_version()) {
    std::printf("  it was built by %s, and this is %s: other bytes are likely\n",
                plan.release.builder_version.c_str(), builder_version().c_str());
  }
  std::printf("  packages  %zu, of which %zu are fetched first (%s)\n", plan.packages,
              plan.packages - plan.fetched, print(plan.to_fetch).c_str());
  std::printf("  layers    all made again, in the cache, and thrown away\n");
  std::printf("  sign      %s\n", signs ? ("if it is the same, into " + place).c_str()
                                        : "nothing: no --key or --pkcs11");
}

// Whether it came out the same.
Result<bool> rebuild(const RebuildOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  std::optional<TrustedRelease> trusted;
  std::optional<images::StoredRelease> unverified;
  if (!given.signers.keys.empty() || !given.signers.trust.empty()) {
    TRY_ASSIGN(trusted, verify_by(given.signers, store, name, Demands::waived));
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
  const IndexDemand demand = given.require_index ? IndexDemand::always : IndexDemand::where_there;
  if (given.plan) {
    TRY_ASSIGN(const RebuildPlan plan, plan_rebuild(store, stored, cache, demand));
    if (!given.json) print_index_note("rebuild", "the release's lock", plan.index);
    print_plan(given, plan);
    return true;
  }
  // First, so that a person who must type a passphrase need not wait for it.
  std::optional<keys::SigningKey> key;
  if (!given.key.empty() || !given.pkcs11.empty()) {
    TRY_ASSIGN(key, keys::SigningKey::open(given.key, given.pkcs11));
  }
  std::optional<Progress> progress(std::in_place);
  const auto outcome = rebuild_release(store, stored, cache, given.mirrors, *progress, demand);
  progress.reset();
  TRY(outcome);
  const bool identical = outcome->differences.empty();
  const bool states = identical && key.has_value();
  if (states) TRY(write_rebuild_statement(store, *outcome, key->signer()));
  if (identical && trusted) TRY(remember(given.signers, *trusted));
  if (!given.json) print_index_note("rebuild", "the release's lock", outcome->index);
  if (given.json) {
    print_json(*outcome, states);
  } else {
    print_text(*outcome, states ? keys::print(key->public_key().id) : "");
  }
  return identical;
}

}  // namespace

int run_rebuild(const Arguments& args) {
  RebuildOptions given;
  CommandLine line{
      .name = "rebuild",
      .positional = "RELEASE",
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
          "mine.key\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")(
      "key", options::value(&given.key)->value_name("FILE"),
      "minisign secret key: puts a signed statement beside a release that came out the same")(
      "pkcs11", options::value(&given.pkcs11)->value_name("URI"),
      "signs with a key in a token or hardware module, in place of --key");
  add_trust_options(line, given.signers, "signer");
  line.options.add_options()("cache", options::value(&given.cache)->value_name("DIR"),
                             "default: $XDG_CACHE_HOME/weir or ~/.cache/weir")(
      "mirror", options::value(&given.mirrors)->value_name("[SUITE=]URL")->composing(),
      "asks this archive instead of the ones apt is configured for; can be repeated")(
      "require-index", options::bool_switch(&given.require_index),
      "refuses a lock that cannot be held to the signed indices again, because the cache or the "
      "keyring is not here")(
      "plan", options::bool_switch(&given.plan),
      "checks the release and shows what would be done; writes nothing but the cache")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  if (!trust_options_fit(line, given.signers, "signer")) return 2;
  if (!given.key.empty() && !given.pkcs11.empty()) {
    std::fputs("weir-builder rebuild: --key or --pkcs11, not both (--help explains)\n", stderr);
    return 2;
  }
  const auto identical = rebuild(given);
  if (!identical) return report(line, identical.error());
  return *identical ? 0 : 1;
}

}  // namespace weir::builder
