#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/json_output.h"
#include "builder/commands/edge/trust_options.h"
#include "builder/release/edge/attest.h"
#include "images/store/folder/edge/folder_store.h"
#include "manifests/base/edge/program_log.h"

namespace weir::builder {
namespace {

// M of these keys, as --rebuilt-by and --rebuilder say it; without M nothing is demanded.
struct StatementOptions {
  std::optional<std::uint32_t> threshold;
  std::vector<std::string> keys;
};

struct VerifyOptions {
  std::string name, store;
  TrustOptions trust;
  StatementOptions rebuilt, boot_checked;
  bool json = false, provenance = false, own_keys_searched = false;
};

Status demand(keys::StatementKind kind, const StatementOptions& given,
              keys::TrustDemands& demands) {
  if (!given.threshold) return {};
  TRY_ASSIGN(auto trusted, read_public_keys(given.keys));
  demands.statements.push_back(
      {kind, std::move(trusted), static_cast<std::size_t>(*given.threshold)});
  return {};
}

// Its provenance, where there is one that enough trusted keys signed. One that is damaged, or about
// something else, is refused; one by strangers only where it is demanded.
Result<std::optional<keys::VerifiedProvenance>> provenance_of(const images::Store& store,
                                                              const TrustedRelease& trusted,
                                                              const VerifyOptions& given) {
  auto out = verify_stored_provenance(store, trusted.release, trusted.signers);
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
  keys::TrustDemands demands;
  demands.own_key_search = given.own_keys_searched;
  TRY(demand(keys::StatementKind::rebuild, given.rebuilt, demands));
  TRY(demand(keys::StatementKind::boot_check, given.boot_checked, demands));
  TRY_ASSIGN(auto basis, read_basis(given.trust, std::move(demands)));
  TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(given.store));
  TRY_ASSIGN(const TrustedRelease trusted, verify_stored(store, name, std::move(basis)));
  const auto& release = trusted.release;
  TRY_ASSIGN(const auto provenance, provenance_of(store, trusted, given));
  if (provenance) {
    for (const std::string& note : provenance->notes()) log_line(note);
  }
  TRY(remember_accepted(trusted));
  ByteCount bytes = release->kernel.image.size;
  for (const auto& layer : release->layers) bytes.value += layer.blob.size.value;
  if (given.json) {
    nlohmann::ordered_json out = {{"release", release->name.string()},
                                  {"signer", release.signer()},
                                  {"release_digest", release.digest().string()},
                                  {"lock_digest", release->lock_digest.string()},
                                  {"blobs", release->layers.size() + 1},
                                  {"bytes", bytes.value},
                                  {"rebuilt_by", trusted.rebuilt_by},
                                  {"boot_checked_by", trusted.boot_checked_by},
                                  {"provenance_by", nullptr}};
    if (provenance) out["provenance_by"] = provenance->signers();
    if (release->scan.own_keys) out["own_keys_searched"] = release->scan.own_keys->count;
    print_result(out);
    return {};
  }
  std::printf("release %s is whole: signed by %s, %zu blobs, %s\n", release->name.string().c_str(),
              release.signer().c_str(), release->layers.size() + 1, print(bytes).c_str());
  if (provenance) {
    std::printf("  provenance and SBOMs signed by %s, made from %zu artifacts\n",
                provenance->signers().c_str(), (*provenance)->dependencies.size());
  }
  if (release->scan.own_keys) {
    std::printf("  searched for %llu keys of its builder's fleet, by the builder's word\n",
                static_cast<unsigned long long>(release->scan.own_keys->count));
  }
  for (const std::string& id : trusted.rebuilt_by) {
    std::printf("  rebuilt, bit by bit the same, by %s\n", id.c_str());
  }
  for (const std::string& id : trusted.boot_checked_by) {
    std::printf("  booted, and talked to by a WireGuard peer, by %s\n", id.c_str());
  }
  return {};
}

Status fits(const StatementOptions& given, const std::string& number, const std::string& keys) {
  if (given.threshold.has_value() == given.keys.empty()) {
    return fail(Errc::invalid_input, number + " M and " + keys + " FILE go together");
  }
  if (given.threshold && *given.threshold < 1) {
    return fail(Errc::invalid_input, number + ": must be 1 or more");
  }
  return {};
}

Status check(const VerifyOptions& given) {
  TRY(says_who_is_trusted(given.trust));
  TRY(fits(given.rebuilt, "--rebuilt-by", "--rebuilder"));
  return fits(given.boot_checked, "--boot-checked-by", "--checker");
}

}  // namespace

Command verify_command() {
  auto given = std::make_shared<VerifyOptions>();
  return {
      .name = "verify",
      .summary = "checks a release's signature and every byte it names",
      .about =
          "Checks that a trusted key signed a release, and every blob that it names; with a trust\n"
          "file that has them, also the statements of its rebuild and boot-check roles.",
      .examples =
          "  weir-builder verify gateway-6.12 --store store --key release.pub\n"
          "  weir-builder verify gateway-6.12 --store store --trust trust.json --state "
          "trust.state\n"
          "  weir-builder verify gateway-6.12 --store store --key release.pub \\\n"
          "    --rebuilt-by 2 --rebuilder ann.pub --rebuilder bob.pub --rebuilder eve.pub\n"
          "  weir-builder verify gateway-6.12 --store store --key release.pub \\\n"
          "    --boot-checked-by 1 --checker lab.pub\n",
      .takes = Positional{"RELEASE", &given->name},
      .options = with_trust(
          {{"store", "DIR", &given->store, "where the release is", Need::required},
           {"rebuilt-by", "M", &given->rebuilt.threshold,
            "demands statements of so many different rebuilders (weir-builder rebuild)"},
           {"rebuilder", "FILE", &given->rebuilt.keys,
            "minisign public key of one of them; can be repeated"},
           {"boot-checked-by", "M", &given->boot_checked.threshold,
            "demands statements of so many different checkers (weir-builder boot-check)"},
           {"checker", "FILE", &given->boot_checked.keys,
            "minisign public key of one of them; can be repeated"},
           {"provenance", "", &given->provenance,
            "demands a provenance that a trusted key signed (with --trust, as many release keys as "
            "a "
            "release takes); without, one that is there is checked"},
           {"own-keys-searched", "", &given->own_keys_searched,
            "demands that its builder searched it for the fleet's own keys (weir-builder build "
            "--secrets)"},
           {"json", "", &given->json, "prints the result as JSON"}},
          1, given->trust),
      .check = [given] { return check(*given); },
      .run = [given]() -> Result<Exit> {
        TRY(verify(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
