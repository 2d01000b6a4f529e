#include "builder/edge/verify.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/edge/attest.h"
#include "builder/edge/commands/command_line.h"
#include "builder/edge/trusted.h"
#include "images/edge/statements.h"
#include "keys/edge/key_files.h"
#include "keys/rebuilders.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct VerifyOptions {
  std::string name, store;
  std::string trust, channel = "stable", state;
  std::vector<std::string> keys, rebuilders;
  std::size_t rebuilt_by = 0;
  bool json = false, provenance = false;
};

Result<std::vector<keys::SigningPublicKey>> read_keys(const std::vector<std::string>& paths) {
  std::vector<keys::SigningPublicKey> out;
  for (const std::string& path : paths) {
    TRY_ASSIGN(const keys::SigningPublicKey key, keys::read_public_key(path));
    out.push_back(key);
  }
  return out;
}

// Who of the rebuilders stated that the release came out the same.
Result<std::vector<keys::SigningPublicKey>> rebuilders_of(const images::Store& store,
                                                          const Digest& release,
                                                          const VerifyOptions& given) {
  if (given.rebuilt_by == 0) return std::vector<keys::SigningPublicKey>();
  TRY_ASSIGN(const auto trusted, read_keys(given.rebuilders));
  TRY_ASSIGN(const auto statements, images::read_statements(store, release, "rebuilt"));
  std::vector<keys::SignedText> found;
  for (const auto& statement : statements) found.push_back({statement.json, statement.signature});
  TRY_ASSIGN_IN(auto out, keys::require_rebuilders(found, release, trusted, given.rebuilt_by),
                "release " + given.name);
  return out;
}

Result<keys::Verified<manifests::Release>> verified(const images::Store& store,
                                                    const ReleaseName& name,
                                                    const VerifyOptions& given) {
  if (given.trust.empty()) {
    TRY_ASSIGN(const auto trusted, read_keys(given.keys));
    return verify_stored(store, name, trusted);
  }
  TRY_ASSIGN_IN(const auto channel, manifests::ChannelName::parse(given.channel), "--channel");
  return verify_by_trust(store, name, given.trust, channel, given.state);
}

// Its provenance, where there is one that a trusted key signed. One that is damaged, or about
// something else, is refused; one by strangers only where it is demanded.
Result<std::optional<keys::VerifiedProvenance>> provenance_of(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const VerifyOptions& given) {
  std::vector<keys::SigningPublicKey> trusted;
  if (given.trust.empty()) {
    TRY_ASSIGN(trusted, read_keys(given.keys));
  } else {
    TRY_ASSIGN_IN(const auto channel, manifests::ChannelName::parse(given.channel), "--channel");
    TRY_ASSIGN(trusted, release_keys(given.trust, channel, given.state));
  }
  auto out = verify_stored_provenance(store, release, trusted);
  if (!out && out.error().code == Errc::unauthorized && !given.provenance) {
    return std::optional<keys::VerifiedProvenance>();
  }
  TRY(out);
  if (!*out && given.provenance) {
    return fail(Errc::unauthorized, "release " + given.name +
                                        " has no provenance: its builder can add one with "
                                        "weir-builder attest");
  }
  return out;
}

Status verify(const VerifyOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto release, verified(store, name, given));
  TRY_ASSIGN(const auto provenance, provenance_of(store, release, given));
  TRY_ASSIGN(const auto rebuilders, rebuilders_of(store, release.digest(), given));
  std::vector<std::string> rebuilt_by;
  for (const auto& key : rebuilders) rebuilt_by.push_back(keys::print(key.id));
  ByteCount bytes = release->kernel.image.size;
  for (const auto& layer : release->layers) bytes.value += layer.blob.size.value;
  if (given.json) {
    nlohmann::ordered_json out = {{"release", release->name.string()},
                                  {"signer", release.signer()},
                                  {"release_digest", release.digest().string()},
                                  {"lock_digest", release->lock_digest.string()},
                                  {"blobs", release->layers.size() + 1},
                                  {"bytes", bytes.value},
                                  {"rebuilt_by", rebuilt_by},
                                  {"provenance_by", nullptr}};
    if (provenance) out["provenance_by"] = provenance->signers();
    std::puts(out.dump(2).c_str());
    return {};
  }
  std::printf("release %s is whole: signed by %s, %zu blobs, %s\n", release->name.string().c_str(),
              release.signer().c_str(), release->layers.size() + 1, print(bytes).c_str());
  if (provenance) {
    std::printf("  provenance and SBOMs signed by %s, made from %zu artifacts\n",
                provenance->signers().c_str(), (*provenance)->dependencies.size());
  }
  for (const std::string& id : rebuilt_by) {
    std::printf("  rebuilt, bit by bit the same, by %s\n", id.c_str());
  }
  return {};
}

}  // namespace

int run_verify(const Arguments& args) {
  VerifyOptions given;
  CommandLine line{
      .name = "verify",
      .positional = "RELEASE",
      .about = "Checks that a trusted key signed a release, and every blob that it names.",
      .examples =
          "  weir-builder verify gateway-6.12 --store store --key release.pub\n"
          "  weir-builder verify gateway-6.12 --store store --trust trust.json --state "
          "trust.state\n"
          "  weir-builder verify gateway-6.12 --store store --key release.pub \\\n"
          "    --rebuilt-by 2 --rebuilder ann.pub --rebuilder bob.pub --rebuilder eve.pub\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")(
      "key", options::value(&given.keys)->value_name("FILE")->composing(),
      "minisign public key that is trusted; can be repeated")(
      "trust", options::value(&given.trust)->value_name("FILE"),
      "trust file that says who is trusted, in place of --key (weir-keys trust)")(
      "channel", options::value(&given.channel)->value_name("NAME")->default_value("stable"),
      "with --trust: the channel the release must be of")(
      "state", options::value(&given.state)->value_name("FILE"),
      "with --trust: remembers what was accepted, so that nothing older is accepted again")(
      "rebuilt-by", options::value(&given.rebuilt_by)->value_name("M"),
      "demands statements of so many different rebuilders (weir-builder rebuild)")(
      "rebuilder", options::value(&given.rebuilders)->value_name("FILE")->composing(),
      "minisign public key of one of them; can be repeated")(
      "provenance", options::bool_switch(&given.provenance),
      "demands a provenance that a trusted key signed; without, one that is there is checked")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  if (given.keys.empty() == given.trust.empty()) {
    std::fputs(
        "weir-builder verify: who is trusted? --key FILE or --trust FILE (--help explains)\n",
        stderr);
    return 2;
  }
  if ((given.rebuilt_by == 0) != given.rebuilders.empty()) {
    std::fputs("weir-builder verify: --rebuilt-by M and --rebuilder FILE go together\n", stderr);
    return 2;
  }
  const Status done = verify(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
