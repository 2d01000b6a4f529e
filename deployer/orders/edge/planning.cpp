#include "deployer/orders/edge/planning.h"

namespace weir::deployer {
namespace {

Result<Plan> plan_between(Site& site, Kind kind, const PoolName& from, const PoolName& to) {
  TRY_ASSIGN(auto known, site.store().clients());
  std::set<NodeId> wrong_clocks;
  for (const PoolName& name : {from, to}) {
    const manifests::PoolSpec& pool = site.pool(name);
    if (pool.clock_offset != std::chrono::milliseconds(0)) {
      wrong_clocks.insert(pool.nodes.begin(), pool.nodes.end());
    }
  }
  return Plan{.kind = kind,
              .from_pool = from,
              .to_pool = to,
              .from = site.pool(from).nodes,
              .to = site.pool(to).nodes,
              .peers = site.peers(),
              .known = std::move(known),
              .policy = site.fleet().policy,
              .release = {},
              .probe_source = {},
              .wrong_clocks = std::move(wrong_clocks)};
}

}  // namespace

Result<PoolName> active_pool(Site& site) {
  TRY_ASSIGN(const bool installed, site.director().installed());
  if (!installed) {
    return fail(Errc::not_found, "fleet " + site.fleet().name.string() +
                                     " is not up; start it with `weir-deployer up --release NAME`");
  }
  TRY_ASSIGN_IN(const auto observed, site.director().read(), "director");
  for (const director::Bucket& bucket : observed.steering.active) {
    if (const PoolName* pool = site.pool_of(bucket.node)) return *pool;
  }
  return fail(Errc::integrity, "director: no node of this fleet is active in it");
}

Result<std::optional<StoredRollout>> unfinished_rollout(Site& site) {
  TRY_ASSIGN(auto newest, site.store().rollouts(1));
  if (newest.empty() || newest.front().finished) return std::optional<StoredRollout>();
  return std::optional<StoredRollout>(std::move(newest.front()));
}

Result<Plan> make_deploy_plan(Site& site, const manifests::Release& release, bool strict) {
  TRY_ASSIGN(const PoolName active, active_pool(site));
  TRY_ASSIGN(const auto unfinished, unfinished_rollout(site));
  PoolName from = active;
  PoolName to = site.other_pool(active);
  if (unfinished) {
    if (unfinished->kind == Kind::rollback) {
      return fail(Errc::busy, "a rollback to pool " + unfinished->to_pool.string() +
                                  " was not finished; run `weir-deployer rollback` first");
    }
    const bool early = unfinished->phase == Phase::planned || unfinished->phase == Phase::booting;
    if (!early && unfinished->release != release.name.string()) {
      return fail(Errc::busy, "the deploy of " + unfinished->release +
                                  " was not finished; finish it with `deploy --release " +
                                  unfinished->release + "`, or undo it with `rollback`, first");
    }
    if (!early) {
      from = unfinished->from_pool;
      to = unfinished->to_pool;
    }
  }
  TRY_ASSIGN(Plan plan, plan_between(site, Kind::deploy, from, to));
  plan.strict = strict;
  plan.release = release;
  if (site.fleet().probe) plan.probe_source = site.fleet().probe->source;
  return plan;
}

Result<Plan> make_rollback_plan(Site& site) {
  TRY_ASSIGN(const PoolName active, active_pool(site));
  TRY_ASSIGN(const auto newest, site.store().rollouts(1));
  if (newest.empty()) {
    return fail(Errc::not_found, "nothing was deployed yet, so there is nothing to roll back");
  }
  const StoredRollout& last = newest.front();
  if (!last.finished) {
    return last.kind == Kind::rollback
               ? plan_between(site, Kind::rollback, last.from_pool, last.to_pool)
               : plan_between(site, Kind::rollback, last.to_pool, last.from_pool);
  }
  if (last.to_pool == active && last.kind == Kind::deploy) {
    return plan_between(site, Kind::rollback, active, last.from_pool);
  }
  return fail(Errc::not_found,
              "pool " + active.string() +
                  " is active and the last rollout ended there; there is nothing to "
                  "roll back");
}

Result<Plan> make_return_plan(Site& site, const Plan& plan) {
  return plan_between(site, Kind::rollback, plan.to_pool, *plan.from_pool);
}

}  // namespace weir::deployer
