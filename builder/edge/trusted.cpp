#include "builder/edge/trusted.h"

#include <algorithm>
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
  TrustedRelease out{release, {}, {}};
  if (demands == Demands::kept) {
    const auto stated_by = [&](keys::StatementKind kind) -> Result<std::vector<std::string>> {
      TRY_ASSIGN_IN(const auto demand, keys::demand_of(*trust, kind), trust_path);
      return require_stored_statements(store, name, release.digest(), demand);
    };
    TRY_ASSIGN(out.rebuilt_by, stated_by(keys::StatementKind::rebuild));
    TRY_ASSIGN(out.boot_checked_by, stated_by(keys::StatementKind::boot_check));
  }
  if (!state_path.empty()) {
    TRY(keys::write_trust_state(state_path, keys::remember(std::move(seen), trust, release)));
  }
  return out;
}

Result<std::vector<keys::SigningPublicKey>> release_keys(const std::string& trust_path,
                                                         const manifests::ChannelName& channel,
                                                         const std::string& state_path) {
  manifests::TrustState seen;
  if (!state_path.empty()) {
    TRY_ASSIGN(seen, keys::read_trust_state(state_path));
  }
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN(const auto trust, keys::read_trust(trust_path, seen, now));
  const manifests::TrustRole* role = &trust->roles.at(manifests::Role::release);
  for (const auto& each : trust->channels) {
    if (each.name == channel && each.release) role = &*each.release;
  }
  std::vector<keys::SigningPublicKey> out;
  for (const auto& known : trust->keys) {
    TRY_ASSIGN(const auto key, keys::parse_public_key(known.public_key));
    if (std::find(role->keys.begin(), role->keys.end(), keys::print(key.id)) != role->keys.end()) {
      out.push_back(key);
    }
  }
  return out;
}

}  // namespace weir::builder
