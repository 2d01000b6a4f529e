#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "deployer/orders/order_plan.h"
#include "deployer/rollout/terms/counted.h"

namespace weir::deployer {
namespace {

using Json = nlohmann::ordered_json;

std::string names(const std::vector<NodeId>& nodes) {
  std::string out;
  for (const NodeId& node : nodes) out += (out.empty() ? "" : ", ") + node.string();
  return out;
}

std::string pool_lines(const PoolPlan& pool, const ReleaseFacts& release) {
  std::string out;
  const std::string what =
      release.release.name.string() + " (kernel " + release.release.kernel.release + ")";
  if (!pool.keep.empty()) {
    out += "  keep " + names(pool.keep) + " of pool " + pool.pool.string() +
           ", which run release " + what + "\n";
  }
  std::vector<NodeId> empty;
  std::copy_if(pool.boot.begin(), pool.boot.end(), std::back_inserter(empty),
               [&](const auto& node) {
                 return std::find(pool.end.begin(), pool.end.end(), node) == pool.end.end();
               });
  if (!pool.end.empty()) {
    out += "  end what runs on " + names(pool.end) + " of pool " + pool.pool.string() +
           ", and boot release " + what + " there\n";
  }
  if (!empty.empty()) {
    out +=
        "  boot release " + what + " on " + names(empty) + " of pool " + pool.pool.string() + "\n";
  }
  return out;
}

std::string move_lines(const Plan& rollout, const Moves& moves) {
  std::string out;
  for (const auto& [way, clients] : moves) {
    out += "  move " + counted(clients, "active client") + " from " + way.first.string() + " to " +
           way.second.string() + "\n";
  }
  if (moves.empty()) out += "  no active client has to be moved\n";
  return out + "  make pool " + rollout.to_pool.string() + " the active one and keep pool " +
         rollout.from_pool.value_or(rollout.to_pool).string() + " warm\n";
}

std::string probe_line(bool probes, bool anybody) {
  if (probes) return "  send a probe through each\n";
  return anybody ? std::string()
                 : "  prove nothing: there is no active client, and the fleet has no `probe`\n";
}

struct Lines {
  std::string operator()(const UpPlan& it) const {
    return "up would, with release " + it.release.release.name.string() + " signed by key " +
           it.release.signer + ":\n" + pool_lines(it.pool, it.release) +
           (it.rollout.ground.steers
                ? "  keep the steering to pool " + it.pool.pool.string() + "\n"
                : "  steer the public address to pool " + it.pool.pool.string() + "\n");
  }
  std::string operator()(const DeployPlan& it) const {
    return "deploy would, with release " + it.release.release.name.string() + " signed by key " +
           it.release.signer + ":\n" + pool_lines(it.pool, it.release) +
           "  check identity, peers and clocks of each\n" +
           probe_line(it.rollout.probe_source.has_value(), !it.moves.empty()) +
           "  prepare every active client\n" + move_lines(it.rollout, it.moves);
  }
  std::string operator()(const NothingPlan& it) const {
    return "deploy would only look after the registry: pool " + it.pool.string() +
           " runs release " + it.release.string() + " already\n";
  }
  std::string operator()(const RollbackPlan& it) const {
    return "rollback would:\n" + move_lines(it.rollout, it.moves);
  }
  std::string operator()(const DownPlan& it) const {
    std::string out = "down would:\n";
    for (const NodeId& node : it.machines) {
      out += "  end the machine of node " + node.string() + "\n";
    }
    for (const NodeId& node : it.unlisted) {
      out += "  end the machine of node " + node.string() +
             ", which the fleet does not name any more\n";
    }
    if (it.unfinished) out += "  give up the rollout that was not finished\n";
    return out + "  remove the steering; clients lose their tunnels\n" +
           "  forget where clients were\n";
  }
};

std::string registry_lines(const OrderPlan& plan) {
  std::string out;
  for (const auto& [node, feed] : plan.registry.nodes) {
    const std::size_t removed = plan.keep_removed ? 0 : feed.remove.size();
    if (feed.add.empty() && feed.change.empty() && removed == 0) continue;
    out += "  bring " + node.string() + " to the registry: add " +
           counted(feed.add.size(), "peer") + ", change " + std::to_string(feed.change.size()) +
           ", remove " + std::to_string(removed) + "\n";
  }
  if (plan.keep_removed || plan.registry.removed.empty()) return out;
  out += "  " + counted(plan.registry.removed.size(), "known peer") + " of the fleet's nodes " +
         (plan.registry.removed.size() == 1 ? "is" : "are") + " not in the registry:\n";
  for (const PublicKey& key : plan.registry.removed) {
    out += "    " + key.string() +
           (plan.registry.revoked.contains(key) ? "  active: its session ends\n" : "  idle\n");
  }
  return out;
}

Json list(const std::vector<NodeId>& nodes) {
  Json out = Json::array();
  for (const NodeId& node : nodes) out.push_back(node.string());
  return out;
}

template <class Keys>
Json keys_of(const Keys& keys) {
  Json out = Json::array();
  for (const PublicKey& key : keys) out.push_back(key.string());
  return out;
}

void add(Json& out, const ReleaseFacts& release, const PoolPlan& pool) {
  out["release"] = release.release.name.string();
  out["release_digest"] = release.digest.string();
  out["signer"] = release.signer;
  out["kernel"] = release.release.kernel.release;
  out["pool"] = pool.pool.string();
  out["keep"] = list(pool.keep);
  out["boot"] = list(pool.boot);
  out["end"] = list(pool.end);
}

void add(Json& out, const Plan& rollout, const Moves& moves) {
  out["from_pool"] = rollout.from_pool.value_or(rollout.to_pool).string();
  out["to_pool"] = rollout.to_pool.string();
  out["moves"] = Json::array();
  for (const auto& [way, clients] : moves) {
    out["moves"].push_back(
        {{"from", way.first.string()}, {"to", way.second.string()}, {"clients", clients}});
  }
}

struct Fields {
  Json& out;
  void operator()(const UpPlan& it) const {
    add(out, it.release, it.pool);
    out["install_steering"] = !it.rollout.ground.steers;
  }
  void operator()(const DeployPlan& it) const {
    add(out, it.release, it.pool);
    add(out, it.rollout, it.moves);
    out["probe"] = it.rollout.probe_source.has_value();
  }
  void operator()(const NothingPlan& it) const {
    out["release"] = it.release.string();
    out["pool"] = it.pool.string();
    out["nothing_to_do"] = true;
  }
  void operator()(const RollbackPlan& it) const { add(out, it.rollout, it.moves); }
  void operator()(const DownPlan& it) const {
    std::vector<NodeId> machines = it.machines;
    machines.insert(machines.end(), it.unlisted.begin(), it.unlisted.end());
    out["end"] = list(machines);
    out["remove_steering"] = true;
  }
};

}  // namespace

std::string print_text(const OrderPlan& plan) {
  std::string out = std::visit(Lines{}, plan.what) + registry_lines(plan);
  for (const Reason& warning : plan.warnings) out += "warning: " + warning.text + "\n";
  return out;
}

std::string print_json(const OrderPlan& plan) {
  Json out;
  out["plan"] = name_of(plan.order);
  std::visit(Fields{out}, plan.what);
  if (!std::holds_alternative<DownOrder>(plan.order)) {
    Json nodes = Json::object();
    for (const auto& [node, feed] : plan.registry.nodes) {
      nodes[node.string()] = {{"add", keys_of(feed.add)},
                              {"change", keys_of(feed.change)},
                              {"remove", plan.keep_removed ? Json::array() : keys_of(feed.remove)}};
    }
    out["registry"] = {{"known", plan.registry.known},
                       {"named", plan.registry.named},
                       {"removed", keys_of(plan.registry.removed)},
                       {"revoked", keys_of(plan.registry.revoked)},
                       {"nodes", std::move(nodes)},
                       {"unread", list(plan.registry.unread)},
                       {"frozen", list(plan.registry.frozen)}};
  }
  out["warnings"] = Json::array();
  for (const Reason& warning : plan.warnings) out["warnings"].push_back(warning.text);
  return out.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace weir::deployer
