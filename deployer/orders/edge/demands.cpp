#include "deployer/orders/edge/demands.h"

#include <optional>
#include <vector>

#include "images/store/edge/statements.h"
#include "keys/signing/edge/key_files.h"
#include "keys/trust/statements.h"
#include "manifests/documents/own_key_search.h"

namespace weir::deployer {
namespace {

using keys::StatementDemand;
using keys::StatementKind;

Result<std::optional<StatementDemand>> demand_of_fleet(
    const Site& site, StatementKind kind, const std::optional<manifests::StatementPolicy>& policy) {
  if (!policy) return std::optional<StatementDemand>();
  StatementDemand out{kind, {}, policy->threshold};
  for (const std::string& file : policy->keys) {
    TRY_ASSIGN(const auto key, keys::read_public_key(site.path(file)));
    out.keys.push_back(key);
  }
  return std::optional(std::move(out));
}

}  // namespace

Result<std::set<Digest>> running_releases(Site& site) {
  std::set<Digest> out;
  TRY_ASSIGN(const auto pools, site.store().pools());
  for (const auto& [_, pool] : pools) out.insert(pool.release_digest);
  return out;
}

Status check_demands(Site& site, const images::Store& store,
                     const keys::Verified<manifests::Release>& release,
                     const manifests::Trust* trust) {
  const manifests::Fleet& fleet = site.fleet();
  std::vector<std::optional<StatementDemand>> demands;
  for (const auto& [kind, policy] : {std::pair(StatementKind::boot_check, &fleet.boot_check),
                                     std::pair(StatementKind::rebuild, &fleet.rebuild)}) {
    TRY_ASSIGN(auto own, demand_of_fleet(site, kind, *policy));
    demands.push_back(std::move(own));
    if (trust == nullptr) continue;
    TRY_ASSIGN(auto role, keys::demand_of(*trust, kind));
    demands.push_back(std::move(role));
  }
  TRY_ASSIGN(const auto running, running_releases(site));
  if (running.contains(release.digest())) return {};
  if (fleet.own_keys_searched) TRY(manifests::require_own_key_search(*release));
  for (const auto& demand : demands) {
    if (!demand) continue;
    TRY_ASSIGN(const auto found,
               images::read_statements(store, release.digest(), keys::file_word(demand->kind)));
    TRY(keys::require_statements(found, release, *demand));
  }
  return {};
}

}  // namespace weir::deployer
