#include "builder/release/edge/trusted.h"

#include <utility>

#include "builder/release/edge/statements.h"
#include "builder/release/edge/verify.h"
#include "images/store/edge/signatures.h"
#include "keys/trust/edge/trust_files.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

struct Judged {
  keys::Verified<manifests::Trust> trust;
  keys::Verified<manifests::Release> release;
};

Result<Judged> judge(const images::StoredRelease& stored, const TrustEvidence& by,
                     const manifests::TrustState& seen) {
  TRY_ASSIGN_IN(auto trust, keys::verify_trust(by.trust_file, seen, by.now), by.trust_path);
  TRY_ASSIGN_IN(
      auto release,
      keys::verify_release(stored.json, by.signatures, trust, {by.channel, seen, by.now, {}}),
      "release " + stored.name.string());
  return Judged{std::move(trust), std::move(release)};
}

}  // namespace

Result<TrustedRelease> verify_by_trust(const images::Store& store, const ReleaseName& name,
                                       const std::string& trust_path,
                                       const manifests::ChannelName& channel,
                                       const std::string& state_path, Demands demands) {
  manifests::TrustState seen;
  if (!state_path.empty()) {
    TRY_ASSIGN(seen, keys::read_trust_state(state_path));
  }
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN(std::string trust_file, read_file(trust_path, manifests::kLargestTrustFile));
  TRY_ASSIGN(images::StoredRelease stored, store.read_release(name));
  TRY_ASSIGN(auto signatures, images::read_signatures(store, stored));
  TrustEvidence evidence{trust_path, std::move(trust_file), std::move(signatures), channel, now};
  TRY_ASSIGN(auto judged, judge(stored, evidence, seen));
  const auto& trust = judged.trust;
  TRY(check_stored(store, name, *judged.release));
  TRY_ASSIGN(auto signers, keys::release_signers(*trust, channel));
  TrustedRelease out{std::move(stored), std::move(judged.release), std::move(signers),
                     std::move(evidence)};
  if (demands == Demands::kept) {
    const auto stated_by = [&](keys::StatementKind kind) -> Result<std::vector<std::string>> {
      TRY_ASSIGN_IN(const auto demand, keys::demand_of(*trust, kind), trust_path);
      return require_stored_statements(store, out.release, demand);
    };
    TRY_ASSIGN(out.rebuilt_by, stated_by(keys::StatementKind::rebuild));
    TRY_ASSIGN(out.boot_checked_by, stated_by(keys::StatementKind::boot_check));
  }
  return out;
}

Status remember_accepted(const std::string& state_path, const TrustedRelease& accepted) {
  if (state_path.empty() || !accepted.evidence) return {};
  return keys::update_trust_state(
      state_path, [&](manifests::TrustState seen) -> Result<manifests::TrustState> {
        TRY_ASSIGN(const auto judged, judge(accepted.stored, *accepted.evidence, seen));
        return keys::remember(std::move(seen), judged.trust, judged.release);
      });
}

}  // namespace weir::builder
