#include <algorithm>

#include "deployer/orders/edge/orders.h"
#include "deployer/orders/edge/planning.h"
#include "deployer/serve/edge/status.h"

namespace weir::deployer {
namespace {

constexpr std::chrono::milliseconds kPatience{3000};

std::string names(const std::vector<NodeId>& nodes) {
  std::string out;
  for (const NodeId& node : nodes) out += (out.empty() ? "" : ", ") + node.string();
  return out;
}

std::string moves(const StatusReport& status, const Plan& plan) {
  std::map<std::string, std::size_t> count;
  std::string out;
  for (const ClientStatus& client : status.clients) {
    const bool from = client.node && std::find(plan.from.begin(), plan.from.end(), *client.node) !=
                                         plan.from.end();
    if (!from) continue;
    ++count[client.node->string() + " to " + node_for(client.key, plan.to).string()];
  }
  for (const auto& [way, clients] : count) {
    out += "  move " + std::to_string(clients) + " active clients from " + way + "\n";
  }
  if (count.empty()) out += "  no active client has to be moved\n";
  return out + "  make pool " + plan.to_pool.string() + " the active one and keep pool " +
         plan.from_pool->string() + " warm\n";
}

std::string boots(Site& site, const PoolName& pool,
                  const keys::Verified<manifests::Release>& release) {
  const auto stored = site.store().pools();
  const bool same =
      stored && stored->contains(pool) && stored->at(pool).release_digest == release.digest();
  return (same ? "  keep the nodes that run release "
               : "  stop what runs there, and boot release ") +
         release->name.string() + " (kernel " + release->kernel.release + ") on " +
         names(site.pool(pool).nodes) + "\n";
}

}  // namespace

Result<std::string> plan_up(Site& site, const ReleaseName& name) {
  TRY_ASSIGN(const auto release, read_verified_release(site, name, Seeing::forgotten));
  TRY_ASSIGN(const auto recorded, site.store().active_pool());
  const PoolName pool = recorded ? *recorded : site.fleet().pools.front().name;
  return "up would, with release " + name.string() + " signed by key " + release.signer() + ":\n" +
         boots(site, pool, release) + "  give " + std::to_string(site.peers().size()) +
         " peers to each, and steer the public address to pool " + pool.string() + "\n";
}

Result<std::string> plan_deploy(Site& site, const ReleaseName& name) {
  TRY_ASSIGN(const auto release, read_verified_release(site, name, Seeing::forgotten));
  TRY_ASSIGN(const Plan plan, make_deploy_plan(site, *release, false));
  TRY_ASSIGN(const auto status, read_status(site, kPatience));
  return "deploy would, with release " + name.string() + " signed by key " + release.signer() +
         ":\n" + boots(site, plan.to_pool, release) +
         "  check identity, peers, clocks and a probe on each, and prepare every active client\n" +
         moves(status, plan);
}

Result<std::string> plan_rollback(Site& site) {
  TRY_ASSIGN(const Plan plan, make_rollback_plan(site));
  TRY_ASSIGN(const auto status, read_status(site, kPatience));
  return "rollback would:\n" + moves(status, plan);
}

Result<std::string> plan_down(Site& site) {
  TRY_ASSIGN(const auto machines, site.store().machines());
  std::string out = "down would:\n";
  for (const auto& [node, machine] : machines)
    out += "  end the machine of node " + node.string() + "\n";
  return out + "  remove the steering; clients lose their tunnels\n";
}

}  // namespace weir::deployer
