#include "deployer/orders/order_plan.h"

#include <algorithm>

namespace weir::deployer {
namespace {

Plan plan_of(const Documents& documents, const Observed& observed, Kind kind,
             const std::optional<PoolName>& from, const PoolName& to) {
  Plan out{.kind = kind,
           .from_pool = from,
           .to_pool = to,
           .from = {},
           .to = documents.pool(to).nodes,
           .peers = documents.peers,
           .known = observed.clients,
           .policy = documents.fleet.policy,
           .release = {},
           .probe_source = {},
           .director = documents.director().name};
  if (from) out.from = documents.pool(*from).nodes;
  for (const manifests::PoolSpec& pool : documents.fleet.pools) {
    if (pool.clock_offset == std::chrono::milliseconds(0)) continue;
    out.wrong_clocks.insert(pool.nodes.begin(), pool.nodes.end());
  }
  return out;
}

bool is_among(const std::vector<NodeId>& nodes, const NodeId& node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

/// A node that runs the very release and answers need not be booted again.
PoolPlan plan_pool(const Documents& documents, const Observed& observed, const PoolName& pool,
                   const ReleaseFacts& release) {
  PoolPlan out{pool, {}, {}, {}};
  const auto stored = observed.pools.find(pool);
  const bool same =
      stored != observed.pools.end() && stored->second.release_digest == release.digest;
  for (const NodeId& node : documents.pool(pool).nodes) {
    const auto seen = observed.nodes.find(node);
    const bool runs = same && seen != observed.nodes.end() && seen->second.identity &&
                      seen->second.identity->lock_digest == release.release.lock_digest;
    (runs ? out.keep : out.boot).push_back(node);
    if (!runs && seen != observed.nodes.end() && seen->second.machine != pool::MachineState::gone) {
      out.end.push_back(node);
    }
  }
  return out;
}

Moves moves_of(const Observed& observed, const Plan& plan) {
  // A rollback boots nothing: who does not answer is given nobody.
  std::vector<NodeId> targets;
  for (const NodeId& node : plan.to) {
    const auto seen = observed.nodes.find(node);
    const bool answers = seen != observed.nodes.end() && seen->second.dump;
    if (plan.kind != Kind::rollback || answers) targets.push_back(node);
  }
  Moves out;
  for (const auto& [key, place] : whereabouts(observed)) {
    if (!plan.peers.contains(key) || !is_among(plan.from, place.node)) continue;
    ++out[{place.node, node_for(key, targets.empty() ? plan.to : targets)}];
  }
  return out;
}

Result<UpPlan> plan_up(const Documents& documents, const Observed& observed,
                       const ReleaseFacts& release) {
  PoolName pool = documents.fleet.pools.front().name;
  if (observed.installed) {
    TRY_ASSIGN(pool, active_pool(documents, observed));
  } else if (observed.recorded) {
    pool = *observed.recorded;
    TRY_IN(documents.check_pool(pool), "the active pool as ordered last");
  }
  if (!observed.installed && !observed.director_trouble.empty()) {
    return fail_for(
        Code::director_failed, Errc::io,
        "the director cannot be asked whether it steers already: " + observed.director_trouble);
  }
  const auto stored = observed.pools.find(pool);
  if (observed.installed && observed.recorded && stored != observed.pools.end() &&
      stored->second.release_digest != release.digest) {
    return fail_for(Code::other_release, Errc::busy,
                    "pool " + pool.string() + " runs release " + stored->second.release.string() +
                        "; move to another release with `weir-deployer deploy --release " +
                        release.release.name.string() + "`");
  }
  UpPlan out{release, plan_pool(documents, observed, pool, release),
             plan_of(documents, observed, Kind::up, {}, pool)};
  out.rollout.release = release.release;
  out.rollout.ground = {.steers = observed.installed, .settled = observed.recorded.has_value()};
  if (documents.fleet.probe) out.rollout.probe_source = documents.fleet.probe->source;
  return out;
}

/// Whether the fleet still has the pools of a rollout that the state remembers.
Status check_pools(const Documents& documents, const StoredRollout& rollout) {
  for (const PoolName* pool : {&rollout.from_pool, &rollout.to_pool}) {
    TRY_IN(documents.check_pool(*pool), "the last rollout went from pool " +
                                            rollout.from_pool.string() + " to pool " +
                                            rollout.to_pool.string());
  }
  return {};
}

/// Nodes of other pools that clients were left on, by rollouts that could not move everybody, and
/// that can be asked.
std::vector<NodeId> nodes_left_behind(const Observed& observed, const Plan& plan) {
  std::set<NodeId> out;
  for (const auto& [key, place] : whereabouts(observed)) {
    const bool elsewhere = !is_among(plan.from, place.node) && !is_among(plan.to, place.node) &&
                           observed.nodes.at(place.node).dump;
    if (elsewhere && plan.peers.contains(key)) out.insert(place.node);
  }
  return {out.begin(), out.end()};
}

/// Whether a pool has a machine that runs: without one nobody can be moved to it.
bool runs(const Documents& documents, const Observed& observed, const PoolName& pool) {
  const auto& nodes = documents.pool(pool).nodes;
  return std::any_of(nodes.begin(), nodes.end(), [&](const NodeId& node) {
    const auto seen = observed.nodes.find(node);
    return seen != observed.nodes.end() && seen->second.machine == pool::MachineState::running;
  });
}

/// Clients who live on machines that a deploy ends: nobody moves them first.
Status judge_ended(const DeployOrder& order, const Documents& documents, const Observed& observed,
                   const PoolPlan& pool, std::vector<Reason>& warnings) {
  std::size_t active = 0;
  std::vector<std::string> ended;
  for (const auto& [key, place] : whereabouts(observed)) {
    if (!documents.peers.contains(key)) continue;
    ++active;
    if (!is_among(pool.end, place.node)) continue;
    ended.push_back("client " + documents.shown(key) + " lives on node " + place.node.string() +
                    ", which is booted anew: it loses its session");
  }
  if (ended.empty()) return {};
  const auto allowed = active * documents.fleet.policy.max_failed.value / 1000;
  if (order.strict || ended.size() > allowed) {
    return fail_for(Code::sessions_end, Errc::busy,
                    ended.front() +
                        (ended.size() > 1 ? ", and " + std::to_string(ended.size() - 1) + " more"
                                          : std::string()) +
                        "; deploy to another pool (--to), which moves it, or let more clients fail "
                        "(policy.max_failed)");
  }
  for (std::string& text : ended) warnings.push_back({Code::stay_behind, std::move(text)});
  return {};
}

/// Where a deploy goes: over, or on with what was begun.
Result<Plan> deploy_rollout(const DeployOrder& order, const Documents& documents,
                            const Observed& observed, const ReleaseFacts& release) {
  TRY_ASSIGN(PoolName from, active_pool(documents, observed));
  PoolName to = order.to.value_or(documents.next_pool(from));
  TRY_IN(documents.check_pool(to), "--to");
  bool goes_on = false;
  if (const StoredRollout* unfinished = unfinished_rollout(observed)) {
    // A rollback to a pool that does not answer can never be finished. Who names a pool leaves it:
    // all whom it moved, and all whom it did not, come along.
    const bool left = unfinished->kind == Kind::rollback && order.to;
    if (unfinished->kind == Kind::rollback && !left) {
      return fail_for(Code::unfinished, Errc::busy,
                      "a rollback to pool " + unfinished->to_pool.string() +
                          " was not finished; run `weir-deployer rollback` first, or move "
                          "everybody to a pool by name (--to)");
    }
    const bool early =
        left || unfinished->phase == Phase::planned || unfinished->phase == Phase::booting;
    if (!early && unfinished->release != release.release.name.string()) {
      return fail_for(Code::unfinished, Errc::busy,
                      "the deploy of " + unfinished->release +
                          " was not finished; finish it with `deploy --release " +
                          unfinished->release + "`, or undo it with `rollback`, first");
    }
    if (!early && order.to && *order.to != unfinished->to_pool) {
      return fail_for(Code::unfinished, Errc::busy,
                      "the deploy of " + unfinished->release + " to pool " +
                          unfinished->to_pool.string() +
                          " was not finished; finish it without --to, or undo it with "
                          "`rollback`, first");
    }
    if (!early) {
      TRY(check_pools(documents, *unfinished));
      from = unfinished->from_pool;
      to = unfinished->to_pool;
      goes_on = true;
    }
  }
  if (!goes_on && to == from) {
    return fail_for(Code::already_active, Errc::invalid_input,
                    "--to: pool " + to.string() + " is the active one already; name another");
  }
  Plan plan = plan_of(documents, observed, Kind::deploy, from, to);
  for (NodeId& node : nodes_left_behind(observed, plan)) {
    plan.from.push_back(std::move(node));
  }
  plan.strict = order.strict;
  plan.release = release.release;
  if (documents.fleet.probe) plan.probe_source = documents.fleet.probe->source;
  return plan;
}

/// Where the last rollout that moved anybody came from, if it went to `active`. Those that failed
/// moved nobody, but what they booted is not what was left.
Result<PoolName> way_back(const Documents& documents, const Observed& observed,
                          const PoolName& active) {
  std::set<PoolName> tried;
  for (const StoredRollout& it : observed.rollouts) {
    if (it.kind == Kind::up) continue;
    const bool moved =
        it.phase == (it.kind == Kind::deploy ? Phase::committed : Phase::rolled_back);
    if (!moved) {
      tried.insert(it.to_pool);
      continue;
    }
    if (it.kind == Kind::rollback || it.to_pool != active) break;
    TRY_IN(documents.check_pool(it.from_pool), "the last deploy");
    if (tried.contains(it.from_pool) || !observed.pools.contains(it.from_pool)) {
      return fail_for(Code::no_way_back, Errc::not_found,
                      "the last deploy came from pool " + it.from_pool.string() +
                          ", where what was left does not run any more; move there "
                          "with `weir-deployer deploy --to " +
                          it.from_pool.string() + " --release NAME`");
    }
    return it.from_pool;
  }
  return fail_for(Code::no_way_back, Errc::not_found,
                  "pool " + active.string() +
                      " is active and the last rollout ended there; there is nothing to roll back "
                      "(`weir-deployer deploy --to POOL --release NAME` moves to a pool by name)");
}

Result<Plan> rollback_rollout(const Documents& documents, const Observed& observed) {
  TRY_ASSIGN(const PoolName active, active_pool(documents, observed));
  if (!observed.newest) {
    return fail_for(Code::no_way_back, Errc::not_found,
                    "nothing was deployed yet, so there is nothing to roll back");
  }
  const StoredRollout& last = *observed.newest;
  PoolName from = active;
  PoolName to = active;
  if (!last.finished) {
    TRY(check_pools(documents, last));
    const bool onward = last.kind == Kind::rollback;
    from = onward ? last.from_pool : last.to_pool;
    to = onward ? last.to_pool : last.from_pool;
  } else {
    TRY_ASSIGN(to, way_back(documents, observed, active));
  }
  if (!runs(documents, observed, to)) {
    return fail_for(Code::nothing_answers, Errc::not_found,
                    "no machine of pool " + to.string() +
                        " runs, so there is nothing to move to; boot it again with "
                        "`weir-deployer deploy --to " +
                        to.string() + " --release NAME`");
  }
  return plan_of(documents, observed, Kind::rollback, from, to);
}

Status plan_deploy(const DeployOrder& order, const Documents& documents, const Observed& observed,
                   const ReleaseFacts& release, OrderPlan& out) {
  TRY_ASSIGN(auto rollout, deploy_rollout(order, documents, observed, release));
  const auto stored = observed.pools.find(*rollout.from_pool);
  // Who names a pool wants to be there, whatever runs on it.
  if (!order.to && unfinished_rollout(observed) == nullptr && stored != observed.pools.end() &&
      stored->second.release_digest == release.digest) {
    out.what = NothingPlan{*rollout.from_pool, release.release.name};
    return {};
  }
  Moves moves = moves_of(observed, rollout);
  PoolPlan pool = plan_pool(documents, observed, rollout.to_pool, release);
  TRY(judge_ended(order, documents, observed, pool, out.warnings));
  out.what = DeployPlan{release, std::move(pool), std::move(rollout), std::move(moves)};
  return {};
}

void plan_down(const Observed& observed, DownPlan& out) {
  for (const auto& [node, seen] : observed.nodes) {
    if (seen.machine != pool::MachineState::gone) out.machines.push_back(node);
  }
  out.unlisted = observed.unlisted;
  if (const StoredRollout* unfinished = unfinished_rollout(observed)) {
    out.unfinished = unfinished->id;
  }
}

/// Peers that a rollback keeps although the registry does not name them move as others do.
void keep_removed(const Observed& observed, OrderPlan& out) {
  auto& peers = std::get<RollbackPlan>(out.what).rollout.peers;
  for (const auto& [node, seen] : observed.nodes) {
    if (!seen.dump) continue;
    for (const manifests::PeerState& peer : seen.dump->peers) {
      if (!out.registry.removed.contains(peer.public_key)) continue;
      peers.try_emplace(peer.public_key,
                        manifests::Peer{"", peer.public_key, peer.allowed_ips, {}, {}});
    }
  }
}

/// Fills in what the order comes to.
struct Planner {
  const Documents& documents;
  const Observed& observed;
  const std::optional<ReleaseFacts>& release;
  OrderPlan& out;

  Status operator()(const UpOrder&) const {
    if (!release) return fail(Errc::bug, "no release to plan with");
    TRY_ASSIGN(out.what, plan_up(documents, observed, *release));
    return {};
  }
  Status operator()(const DeployOrder& order) const {
    if (!release) return fail(Errc::bug, "no release to plan with");
    return plan_deploy(order, documents, observed, *release, out);
  }
  Status operator()(const RollbackOrder&) const {
    TRY_ASSIGN(auto rollout, rollback_rollout(documents, observed));
    Moves moves = moves_of(observed, rollout);
    out.what = RollbackPlan{std::move(rollout), std::move(moves)};
    return {};
  }
  Status operator()(const DownOrder&) const {
    plan_down(observed, out.what.emplace<DownPlan>());
    return {};
  }
};

}  // namespace

Result<OrderPlan> plan_order(const Order& order, const Documents& documents,
                             const Observed& observed, const std::optional<ReleaseFacts>& release) {
  if (observed.foreign) {
    return fail_for(Code::not_ours, Errc::integrity, observed.director_trouble);
  }
  OrderPlan out{order, DownPlan(), {}, false, {}};
  const std::string misnamed = naming_trouble(documents, observed);
  if (!misnamed.empty() && !std::holds_alternative<DownOrder>(order)) {
    return fail_for(Code::document_differs, Errc::integrity, misnamed);
  }
  TRY(std::visit(Planner{documents, observed, release, out}, order));
  if (std::holds_alternative<DownOrder>(order)) return out;
  out.registry = compare_registry(documents, observed);
  if (auto fine =
          judge_removals(out.registry, documents.fleet.policy.max_removed, allowed_removals(order));
      !fine) {
    // A way back must not wait for a registry to be mended.
    if (!std::holds_alternative<RollbackOrder>(order)) {
      return tl::unexpected(std::move(fine).error());
    }
    out.keep_removed = true;
    keep_removed(observed, out);
    out.warnings.push_back(
        {Code::peers_differ, fine.error().message + "; this rollback keeps them all"});
  }
  if (const auto* back = std::get_if<RollbackPlan>(&out.what);
      back != nullptr && is_blind(out.registry, back->rollout.to)) {
    out.keep_removed = true;
    keep_removed(observed, out);
  }
  if (documents.peers.empty()) {
    out.warnings.push_back({Code::peers_differ, "the registry is empty: nobody can connect"});
  }
  for (const NodeId& node : observed.unlisted) {
    out.warnings.push_back({Code::unlisted, "node " + node.string() +
                                                " has a machine, and the fleet does not name it "
                                                "any more; `weir-deployer down` ends it"});
  }
  for (const NodeId& node : out.registry.unread) {
    out.warnings.push_back(
        {Code::unfed, "node " + node.string() +
                          " does not give its peers, so it is not brought to the registry: " +
                          observed.nodes.at(node).trouble});
  }
  for (const NodeId& node : out.registry.frozen) {
    out.warnings.push_back({Code::unfed, "node " + node.string() +
                                             " is frozen, so it is not brought to the registry: "
                                             "once it goes on it has the peers it had, until the "
                                             "next order; `weir-deployer status` shows it"});
  }
  return out;
}

Plan return_plan(const Documents& documents, const Observed& observed, const Plan& plan) {
  return plan_of(documents, observed, Kind::rollback, plan.to_pool, *plan.from_pool);
}

}  // namespace weir::deployer
