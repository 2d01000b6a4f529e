#include "keys/trust/edge/fleet_trust.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "keys/signing/edge/key_files.h"
#include "keys/trust/edge/trust_files.h"
#include "manifests/base/paths.h"

namespace weir::keys {
namespace {

Result<std::vector<SigningPublicKey>> read_keys(const manifests::Fleet& fleet,
                                                const std::string& folder, const std::string& field,
                                                const std::vector<std::string>& files) {
  std::vector<SigningPublicKey> out;
  for (std::size_t i = 0; i < files.size(); ++i) {
    TRY_ASSIGN_IN(const auto key, read_public_key(path_at(folder, files[i])),
                  fleet.where_named(field + "[" + std::to_string(i) + "]"));
    out.push_back(key);
  }
  return out;
}

}  // namespace

Result<Authority> read_fleet_authority(const manifests::Fleet& fleet, const std::string& folder) {
  if (!fleet.trust) {
    TRY_ASSIGN(auto trusted, read_keys(fleet, folder, "trusted_keys", fleet.trusted_keys));
    return Authority(std::move(trusted));
  }
  TRY_ASSIGN_IN(auto file,
                read_trusted_file(path_at(folder, *fleet.trust), fleet.channel, fleet.trust_pin),
                fleet.where_named("trust"));
  return Authority(std::move(file));
}

Result<TrustDemands> read_fleet_demands(const manifests::Fleet& fleet, const std::string& folder) {
  TrustDemands out;
  out.own_key_search = fleet.own_keys_searched;
  const auto add = [&](StatementKind kind, const std::string& field,
                       const std::optional<manifests::StatementPolicy>& policy) -> Status {
    if (!policy) return {};
    TRY_ASSIGN(auto keys, read_keys(fleet, folder, field + ".keys", policy->keys));
    out.statements.push_back({kind, std::move(keys), policy->threshold});
    return {};
  };
  TRY(add(StatementKind::boot_check, "boot_check", fleet.boot_check));
  TRY(add(StatementKind::rebuild, "rebuild", fleet.rebuild));
  return out;
}

}  // namespace weir::keys
