#include "builder/edge/trusted.h"

#include <utility>

#include "builder/edge/statements.h"
#include "builder/edge/verify.h"
#include "images/edge/signatures.h"
#include "keys/edge/trust_files.h"

namespace weir::builder {

Result<TrustedRelease> verify_by_trust(const images::Store& store, const ReleaseName& name,
                                       const std::string& trust_path,
                                       const manifests::ChannelName& channel,
                                       const std::string& state_path, Demands demands) {
  const std::string where = "release " + name.string();
  manifests::TrustState seen;
  if (!state_path.empty()) {
    TRY_ASSIGN(seen, keys::read_trust_state(state_path));
  }
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN(const auto trust, keys::read_trust(trust_path, seen, now));
  TRY_ASSIGN(const images::StoredRelease stored, store.read_release(name));
  TRY_ASSIGN(const auto signatures, images::read_signatures(store, stored));
  TRY_ASSIGN_IN(auto release,
                keys::verify_release(stored.json, signatures, trust, {channel, seen, now, {}}),
                where);
  TRY(check_stored(store, name, *release));
  TRY_ASSIGN(auto signers, keys::release_signers(*trust, channel));
  TrustedRelease out{std::move(release), std::move(signers), trust};
  if (demands == Demands::kept) {
    const auto stated_by = [&](keys::StatementKind kind) -> Result<std::vector<std::string>> {
      TRY_ASSIGN_IN(const auto demand, keys::demand_of(*trust, kind), trust_path);
      return require_stored_statements(store, name, out.release.digest(), demand);
    };
    TRY_ASSIGN(out.rebuilt_by, stated_by(keys::StatementKind::rebuild));
    TRY_ASSIGN(out.boot_checked_by, stated_by(keys::StatementKind::boot_check));
  }
  return out;
}

Status remember_accepted(const std::string& state_path, const TrustedRelease& accepted) {
  if (state_path.empty() || !accepted.trust) return {};
  TRY_ASSIGN(auto seen, keys::read_trust_state(state_path));
  return keys::write_trust_state(
      state_path, keys::remember(std::move(seen), *accepted.trust, accepted.release));
}

}  // namespace weir::builder
