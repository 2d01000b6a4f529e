#include "keys/trust/statements.h"

#include <algorithm>

#include "manifests/documents/attested_facts.h"
#include "manifests/documents/boot_check_statement.h"
#include "manifests/documents/rebuild_statement.h"

namespace weir::keys {
namespace {

using manifests::SignedText;

constexpr std::size_t kMostObjections = 3;

struct Kind {
  std::string_view title, passive, command;
  manifests::Role role;
};

const Kind& described(StatementKind kind) {
  static constexpr Kind kRebuild = {"rebuild", "rebuilt", "weir-builder rebuild",
                                    manifests::Role::rebuild};
  static constexpr Kind kBootCheck = {"boot check", "boot-checked", "weir-builder boot-check",
                                      manifests::Role::boot_check};
  return kind == StatementKind::rebuild ? kRebuild : kBootCheck;
}

using VerifiedRelease = Verified<manifests::Release>;

template <class Statement>
Status check_subject(const Statement& statement, const VerifiedRelease& release) {
  if (statement.release_digest != release.digest()) {
    return fail(Errc::unauthorized,
                "it is about another release (" + statement.release_digest.string() + ")");
  }
  if (statement.release == release->name) return {};
  return fail(Errc::unauthorized, "it calls the release '" + statement.release.string() + "'");
}

Status check_rebuild(std::string_view json, const VerifiedRelease& release) {
  TRY_ASSIGN(const auto statement, manifests::parse_rebuild_statement(json));
  TRY(check_subject(statement, release));
  if (statement.lock_digest == release->lock_digest) return {};
  return fail(Errc::unauthorized,
              "it was made from another lock (" + statement.lock_digest.string() + ")");
}

Status check_boot(std::string_view json, const VerifiedRelease& release) {
  TRY_ASSIGN(const auto statement, manifests::parse_boot_check_statement(json));
  TRY(check_subject(statement, release));
  const auto differences = manifests::differences(*release, statement.facts);
  if (differences.empty()) return {};
  return fail(Errc::unauthorized, "the node that was booted " + print(differences.front()));
}

Status check(const SigningPublicKey& key, const SignedText& text, const VerifiedRelease& release,
             StatementKind kind) {
  TRY(verify(key, as_bytes(text.json), text.signature));
  return kind == StatementKind::rebuild ? check_rebuild(text.json, release)
                                        : check_boot(text.json, release);
}

// Why what was found does not count.
std::string objections(const std::vector<SignedText>& found, const VerifiedRelease& release,
                       const StatementDemand& demand) {
  std::vector<std::string> out;
  for (const SignedText& text : found) {
    const auto signer = signer_of(text.signature);
    if (!signer) continue;
    const auto key = std::find_if(demand.keys.begin(), demand.keys.end(),
                                  [&](const auto& each) { return each.id == *signer; });
    const std::string who = "a statement by key " + print(*signer) + " does not count: ";
    if (key == demand.keys.end()) {
      out.push_back(who + "it is not one of those asked");
    } else if (const Status fits = check(*key, text, release, demand.kind); !fits) {
      out.push_back(who + fits.error().message);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  std::string joined;
  for (std::size_t i = 0; i < std::min(out.size(), kMostObjections); ++i) joined += "; " + out[i];
  return joined;
}

}  // namespace

Result<std::optional<StatementDemand>> demand_of(const manifests::Trust& trust,
                                                 StatementKind kind) {
  const auto role = trust.roles.find(described(kind).role);
  if (role == trust.roles.end()) return std::optional<StatementDemand>();
  StatementDemand out{kind, {}, role->second.threshold};
  for (const manifests::TrustKey& each : trust.keys) {
    const auto& ids = role->second.keys;
    if (std::find(ids.begin(), ids.end(), manifests::key_id_of(each.public_key)) == ids.end()) {
      continue;
    }
    TRY_ASSIGN(const SigningPublicKey key, parse_public_key(each.public_key));
    out.keys.push_back(key);
  }
  return std::optional(std::move(out));
}

Result<SignedText> sign_statement(StatementKind kind, const ReleaseName& name,
                                  const Digest& release, std::string json, const Signer& signer) {
  TRY_ASSIGN(std::string signature,
             sign_prehashed(signer, prehash(as_bytes(json)),
                            "weir " + std::string(described(kind).title) + " of release " +
                                name.string() + " " + release.string()));
  return SignedText{std::move(json), std::move(signature)};
}

Result<std::vector<SigningPublicKey>> require_statements(const std::vector<SignedText>& found,
                                                         const VerifiedRelease& release,
                                                         const StatementDemand& demand) {
  const Kind& kind = described(demand.kind);
  std::vector<SigningPublicKey> distinct, out;
  for (const SigningPublicKey& key : demand.keys) {
    const bool known = std::any_of(distinct.begin(), distinct.end(),
                                   [&](const auto& other) { return other.key == key.key; });
    if (!known) distinct.push_back(key);
  }
  if (demand.threshold == 0 || demand.threshold > distinct.size()) {
    return fail(Errc::invalid_input, std::string(kind.title) + ": " +
                                         std::to_string(demand.threshold) +
                                         " statements are demanded of " +
                                         std::to_string(distinct.size()) + " distinct keys");
  }
  std::string missing;
  for (const SigningPublicKey& key : distinct) {
    const bool has = std::any_of(demand.keys.begin(), demand.keys.end(), [&](const auto& each) {
      return each.key == key.key && std::any_of(found.begin(), found.end(), [&](const auto& text) {
               return check(each, text, release, demand.kind).has_value();
             });
    });
    if (has) {
      out.push_back(key);
    } else {
      missing += (missing.empty() ? "" : ", ") + print(key.id);
    }
  }
  if (out.size() >= demand.threshold) return out;
  return fail(Errc::unauthorized,
              "was " + std::string(kind.passive) + " by " + std::to_string(out.size()) +
                  " of the " + std::to_string(demand.threshold) +
                  " demanded: no statement about it verifies from " + missing + " (" +
                  std::string(kind.command) + " signs them)" + objections(found, release, demand));
}

}  // namespace weir::keys
