#include "builder/edge/rebuild.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/edge/commands/command_line.h"
#include "keys/edge/key_files.h"
#include "keys/verified.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;
using nlohmann::ordered_json;

struct RebuildOptions {
  std::string name, store, cache, key;
  std::vector<std::string> mirrors, signers;
  bool json = false;
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

Status check_signer(const images::StoredRelease& stored, const std::vector<std::string>& paths) {
  std::vector<keys::SigningPublicKey> trusted;
  for (const std::string& path : paths) {
    TRY_ASSIGN(const keys::SigningPublicKey key, keys::read_public_key(path));
    trusted.push_back(key);
  }
  TRY_IN(keys::verify_release(stored.json, stored.signature, trusted),
         "release " + stored.name.string());
  return {};
}

// Whether it came out the same.
Result<bool> rebuild(const RebuildOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto stored, store.read_release(name));
  if (!given.signers.empty()) TRY(check_signer(stored, given.signers));
  std::string cache_path = given.cache;
  if (cache_path.empty()) {
    TRY_ASSIGN(cache_path, Cache::default_path());
  }
  TRY_ASSIGN(const Cache cache, Cache::open_or_create(cache_path));
  std::optional<keys::SigningSecretKey> key;
  if (!given.key.empty()) {
    TRY_ASSIGN(key, keys::read_secret_key(given.key));
  }
  std::optional<Progress> progress(std::in_place);
  const auto outcome = rebuild_release(store, stored, cache, given.mirrors, *progress);
  progress.reset();
  TRY(outcome);
  const bool identical = outcome->differences.empty();
  const bool states = identical && key.has_value();
  if (states) TRY(write_rebuild_statement(store, *outcome, *key));
  if (given.json) {
    print_json(*outcome, states);
  } else {
    print_text(*outcome, states ? keys::print(key->id) : "");
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
          "  weir-builder rebuild gateway-6.12 --store store --signer release.pub --key "
          "mine.key\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")(
      "key", options::value(&given.key)->value_name("FILE"),
      "minisign secret key: puts a signed statement beside a release that came out the same")(
      "signer", options::value(&given.signers)->value_name("FILE")->composing(),
      "minisign public key: first checks that one of these signed the release")(
      "cache", options::value(&given.cache)->value_name("DIR"),
      "default: $XDG_CACHE_HOME/weir or ~/.cache/weir")(
      "mirror", options::value(&given.mirrors)->value_name("[SUITE=]URL")->composing(),
      "asks this archive instead of the ones apt is configured for; can be repeated")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  const auto identical = rebuild(given);
  if (!identical) return report(line, identical.error());
  return *identical ? 0 : 1;
}

}  // namespace weir::builder
