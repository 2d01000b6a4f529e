#include "deployer/orders/edge/orders.h"

#include "deployer/orders/edge/planning.h"
#include "deployer/rollout/edge/runner.h"
#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/terms/checks.h"
#include "deployer/steering/edit.h"

namespace weir::deployer {
namespace {

Instant since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now() - start);
}

/// What brings the pool that is to be active to life and proves it.
Status raise(Site& site, const PoolName& pool, const keys::Verified<manifests::Release>& release) {
  const std::vector<NodeId>& nodes = site.pool(pool).nodes;
  TRY_ASSIGN(const auto booted, boot_pool(site, pool, release));
  TRY_ASSIGN(const auto identities, read_identities(site, nodes));
  for (const auto& identity : identities) TRY(check_identity(*release, identity));
  TRY(feed_all(site, nodes));
  TRY_ASSIGN(const auto clocks, read_clocks(site, nodes));
  TRY(check_clocks(clocks, site.fleet().policy.max_clock_skew));
  if (booted.empty()) return {};
  for (const NodeId& node : booted) TRY(site.director().forget(node));
  return probe_nodes(site, booted);
}

/// Inner addresses of peers that are new in the registry.
Status assign_peers(Site& site, const PoolName& pool) {
  TRY_ASSIGN(const auto observed, site.director().read());
  director::Intent wanted = observed.steering;
  for (const auto& [key, peer] : site.peers()) {
    for (const Prefix& prefix : peer.allowed_ips) {
      wanted.assigned.try_emplace(prefix, node_for(key, site.pool(pool).nodes));
    }
  }
  if (wanted == observed.steering) return {};
  ++wanted.revision;
  return site.director().apply(director::diff(observed.steering, wanted));
}

director::Intent first_steering(const Site& site, const PoolName& pool) {
  director::Intent out;
  out.revision = 1;
  out.active = director::equal_weights(site.pool(pool).nodes);
  for (const auto& [key, peer] : site.peers()) {
    for (const Prefix& prefix : peer.allowed_ips) {
      out.assigned.insert_or_assign(prefix, node_for(key, site.pool(pool).nodes));
    }
  }
  return out;
}

Report simple_report(std::string order, const std::string& pool) {
  Report out;
  out.order = std::move(order);
  out.to_pool = pool;
  out.outcome = Outcome::done;
  out.phase = Phase::committed;
  return out;
}

}  // namespace

Result<Report> up(const Orders& orders, const ReleaseName& name) {
  Site& site = orders.site;
  TRY_ASSIGN(const auto release, read_verified_release(site, name, Seeing::remembered));
  TRY_ASSIGN(const bool installed, site.director().installed());
  TRY_ASSIGN(const auto pools, site.store().pools());
  PoolName pool = site.fleet().pools.front().name;
  TRY_ASSIGN(const auto recorded, site.store().active_pool());
  if (installed) {
    TRY_ASSIGN(pool, active_pool(site));
  } else if (recorded) {
    pool = *recorded;
  }
  const auto stored = pools.find(pool);
  if (installed && recorded && stored != pools.end() &&
      stored->second.release_digest != release.digest()) {
    return fail(Errc::busy, "pool " + pool.string() + " runs release " +
                                stored->second.release.string() +
                                "; move to another release with `weir-deployer deploy --release " +
                                name.string() + "`");
  }
  if (!installed) {
    TRY_IN(install_director(site, first_steering(site, pool), recorded.has_value()), "director");
    site.say("the director steers the public address to pool " + pool.string());
  }
  auto raised = raise(site, pool, release);
  if (raised && orders.interrupted) raised = fail(Errc::busy, "interrupted");
  if (!raised) {
    if (!recorded) {
      site.say("undoing what was started");
      (void)stop_pool(site, pool);
      if (!installed) (void)site.director().remove();
    }
    return tl::unexpected(std::move(raised).error());
  }
  TRY(assign_peers(site, pool));
  TRY(site.store().set_active_pool(pool));
  Report out = simple_report("up", pool.string());
  out.release = name.string();
  out.took = since(orders.ordered_at);
  return out;
}

Result<Report> deploy(const Orders& orders, const ReleaseName& name, bool strict) {
  Site& site = orders.site;
  TRY_ASSIGN(auto release, read_verified_release(site, name, Seeing::remembered));
  site.say("release " + name.string() + " is signed by key " + release.signer());
  TRY_ASSIGN(const Plan plan, make_deploy_plan(site, *release, strict));
  TRY_ASSIGN(const auto pools, site.store().pools());
  const auto stored = pools.find(*plan.from_pool);
  TRY_ASSIGN(const auto unfinished, unfinished_rollout(site));
  if (!unfinished && stored != pools.end() && stored->second.release_digest == release.digest()) {
    site.say("pool " + plan.from_pool->string() + " runs release " + name.string() +
             " already; nothing to do");
    Report out = simple_report("deploy", plan.from_pool->string());
    out.release = name.string();
    return out;
  }
  std::optional<keys::Verified<manifests::Release>> verified(std::move(release));
  TRY_ASSIGN(const Run run,
             run_rollout(site, plan, verified, orders.interrupted, orders.ordered_at));
  if (run.state.rollout.outcome != Outcome::rolled_back)
    return report_of(plan, run.state, run.took);

  const auto& refusal = run.state.rollout.refusal;
  site.say("moving back: " + (refusal ? refusal->text : std::string()));
  TRY_ASSIGN(const Plan back, make_return_plan(site, plan));
  TRY_ASSIGN(const Run returned,
             run_rollout(site, back, {}, orders.interrupted, orders.ordered_at));
  Report out = report_of(back, returned.state, returned.took);
  out.order = "deploy";
  out.release = name.string();
  if (returned.state.rollout.outcome == Outcome::done) {
    out.outcome = Outcome::rolled_back;
    out.refusal = refusal;
  }
  return out;
}

Result<Report> rollback(const Orders& orders) {
  TRY_ASSIGN(const Plan plan, make_rollback_plan(orders.site));
  TRY_ASSIGN(const Run run,
             run_rollout(orders.site, plan, {}, orders.interrupted, orders.ordered_at));
  return report_of(plan, run.state, run.took);
}

Result<Report> down(const Orders& orders) {
  Site& site = orders.site;
  for (const auto& pool : site.fleet().pools) TRY(stop_pool(site, pool.name));
  TRY_IN(site.director().remove(), "director");
  TRY(site.store().set_active_pool({}));
  TRY_ASSIGN(const auto unfinished, unfinished_rollout(site));
  if (unfinished) {
    TRY(site.store().finish_rollout(unfinished->id, unfinished->phase, "the fleet was taken down"));
  }
  Report out = simple_report("down", {});
  out.phase = Phase::retired;
  out.took = since(orders.ordered_at);
  return out;
}

}  // namespace weir::deployer
