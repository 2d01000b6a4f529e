#include "deployer/orders/edge/orders.h"

#include <algorithm>

#include "deployer/orders/edge/observe.h"
#include "deployer/orders/identity_plan.h"
#include "deployer/orders/resumption.h"
#include "deployer/orders/steering_plan.h"
#include "deployer/rollout/edge/runner.h"
#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/nodelife/feed.h"
#include "deployer/rollout/terms/counted.h"
#include "deployer/site/edge/accepted_release.h"
#include "deployer/site/edge/running_order.h"
#include "deployer/steering/edit.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kControlPatience{3000};
/// Who goes back is in a hurry: a node that is slower to say what it knows goes without the
/// registry, and is named.
constexpr milliseconds kHurry{400};

Instant since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now() - start);
}

Report simple_report(std::string order, const std::string& pool) {
  Report out;
  out.order = std::move(order);
  out.to_pool = pool;
  out.outcome = Outcome::done;
  out.phase = Phase::committed;
  return out;
}

/// One order under way.
class Work {
 public:
  Work(const Orders& orders, const Planned& planned)
      : orders_(orders), site_(orders.site), planned_(planned), warnings_(planned.plan.warnings) {}

  Result<Report> operator()(const UpPlan& plan);
  Result<Report> operator()(const DeployPlan& plan);
  Result<Report> operator()(const NothingPlan& plan);
  Result<Report> operator()(const RollbackPlan& plan);
  Result<Report> operator()(const DownPlan& plan);

 private:
  [[nodiscard]] Removals removals(const Plan& rollout) const {
    const bool keep = planned_.plan.keep_removed || is_blind(planned_.plan.registry, rollout.to);
    return keep ? Removals::keep : Removals::take;
  }
  [[nodiscard]] Means means(const PoolPlan& pool, const Plan& rollout) const {
    return {.boot = pool.boot, .release = &*planned_.release, .removals = removals(rollout)};
  }
  Result<Run> run(const Plan& rollout, Means means) {
    return run_rollout(site_, rollout, std::move(means), orders_.interrupted, orders_.ordered_at);
  }
  /// What follows clients that were moved. It is told where it fails, and undoes nothing.
  void follow(const Status& done, const std::string& what) {
    if (done) return;
    warnings_.push_back({Code::failed, what + ": " + done.error().message +
                                           "; once that is mended, `weir-deployer up` with the "
                                           "release in use does it"});
  }
  /// Nodes, state and director are brought to the registry, after an order that was carried out.
  void settle(const Plan& rollout) {
    follow(bring_to_registry(rollout.to), "the other nodes were not brought to the registry");
    follow(forget_removed(rollout.to_pool), "what is known of removed peers was not forgotten");
  }
  Status bring_to_registry(const std::vector<NodeId>& fed);
  Status forget_removed(const PoolName& pool);
  Status take_down(const DownPlan& plan);
  Result<Report> finish(Report report);
  void name_revoked(Report& report) const;

  const Orders& orders_;
  Site& site_;
  const Planned& planned_;
  std::vector<Reason> warnings_;
  std::vector<NodeReport> nodes_;
};

/// Brings every node that gave its peers, but those that the order fed itself, to the registry. Who
/// cannot be reached is named, and holds up nobody.
Status Work::bring_to_registry(const std::vector<NodeId>& fed) {
  std::vector<NodeId> nodes;
  for (const auto& [node, feed] : planned_.plan.registry.nodes) {
    if (std::find(fed.begin(), fed.end(), node) == fed.end()) nodes.push_back(node);
  }
  if (nodes.empty()) return {};
  TRY_ASSIGN(const auto now, feed_nodes(site_, nodes, Removals::take, Confirming::all));
  for (const auto& [node, it] : now) {
    if (it.error) {
      warnings_.push_back(
          {Code::unfed,
           "node " + node.string() + " was not brought to the registry: " + it.error->message});
    }
    if (it.error || !it.added.empty() || !it.changed.empty() || !it.removed.empty()) {
      nodes_.push_back({node, it.added.size(), it.changed.size(), it.removed.size(),
                        it.error ? it.error->message : std::string()});
    }
  }
  return {};
}

/// What state and director know of peers that are gone.
/// pool  which inner addresses of new peers are assigned to
Status Work::forget_removed(const PoolName& pool) {
  if (planned_.plan.keep_removed) return {};
  const auto& removed = planned_.plan.registry.removed;
  TRY(site_.store().forget_clients({removed.begin(), removed.end()}));
  Observed now = planned_.observed;
  TRY_ASSIGN(now.director, site_.director().read());
  const auto wanted = registered_steering(site_.documents(), now, pool);
  if (wanted == now.director->steering) return {};
  return site_.director().apply(director::diff(now.director->steering, wanted));
}

void Work::name_revoked(Report& report) const {
  if (planned_.plan.keep_removed) return;
  const auto places = whereabouts(planned_.observed);
  for (const PublicKey& key : planned_.plan.registry.revoked) {
    const bool named = std::any_of(report.clients.begin(), report.clients.end(),
                                   [&](const ClientReport& it) { return it.key == key; });
    if (named) continue;
    report.clients.push_back(
        {site_.documents().shown(key),
         key,
         {},
         places.at(key).node,
         false,
         false,
         Instant{0},
         Reason{Code::revoked, "its key is not in the registry; its session was ended"}});
  }
}

Result<Report> Work::finish(Report report) {
  report.warnings.insert(report.warnings.begin(), warnings_.begin(), warnings_.end());
  report.nodes.insert(report.nodes.end(), nodes_.begin(), nodes_.end());
  if (report.outcome == Outcome::done) name_revoked(report);
  if (report.took == Instant{0}) report.took = since(orders_.ordered_at);
  return report;
}

Result<Report> Work::operator()(const UpPlan& plan) {
  TRY_ASSIGN(const Run now, run(plan.rollout, means(plan.pool, plan.rollout)));
  Report out = report_of(plan.rollout, now.state, now.took);
  if (out.outcome == Outcome::done) {
    settle(plan.rollout);
  }
  return finish(std::move(out));
}

Result<Report> Work::operator()(const DeployPlan& plan) {
  site_.say("release " + plan.release.release.name.string() + " is signed by key " +
            plan.release.signer);
  TRY_ASSIGN(const Run there, run(plan.rollout, means(plan.pool, plan.rollout)));
  if (there.state.rollout.outcome != Outcome::rolled_back) {
    Report out = report_of(plan.rollout, there.state, there.took);
    if (out.outcome == Outcome::done) settle(plan.rollout);
    return finish(std::move(out));
  }
  const auto& refusal = there.state.rollout.refusal;
  site_.say("moving back: " + (refusal ? refusal->text : std::string()));
  const Plan back = return_plan(site_.documents(), planned_.observed, plan.rollout);
  const auto returning = run(back, {.removals = removals(back)});
  if (!returning) {
    Report out = report_of(plan.rollout, there.state, there.took);
    out.outcome = Outcome::needs_person;
    out.refusal = Reason{
        refusal ? refusal->code : Code::failed,
        (refusal ? refusal->text + "; " : std::string()) +
            "those that were moved could not be moved back (" + returning.error().message +
            "), `weir-deployer status` shows where each is; once that is mended, " + way_on(back)};
    return finish(std::move(out));
  }
  const Run& returned = *returning;
  Report out = report_of(back, returned.state, returned.took);
  out.order = "deploy";
  out.release = plan.release.release.name.string();
  if (returned.state.rollout.outcome == Outcome::done) {
    out.outcome = Outcome::rolled_back;
    out.refusal = refusal;
  }
  return finish(std::move(out));
}

Result<Report> Work::operator()(const NothingPlan& plan) {
  site_.say("pool " + plan.pool.string() + " runs release " + plan.release.string() +
            " already; nothing to do");
  TRY(bring_to_registry({}));
  TRY(forget_removed(plan.pool));
  Report out = simple_report("deploy", plan.pool.string());
  out.release = plan.release.string();
  return finish(std::move(out));
}

Result<Report> Work::operator()(const RollbackPlan& plan) {
  const Removals taken = removals(plan.rollout);
  TRY_ASSIGN(const Run now, run(plan.rollout, {.removals = taken}));
  Report out = report_of(plan.rollout, now.state, now.took);
  if (out.outcome == Outcome::done && taken == Removals::take) settle(plan.rollout);
  return finish(std::move(out));
}

Result<Report> Work::operator()(const DownPlan& plan) {
  Report out = simple_report("down", {});
  out.phase = Phase::retired;
  if (auto done = take_down(plan); !done) {
    out.outcome = Outcome::needs_person;
    out.refusal =
        Reason{Code::failed, done.error().message +
                                 "; part of the fleet may be down already, "
                                 "`weir-deployer status` shows what; once that is mended, "
                                 "finish with `weir-deployer down`"};
  }
  return finish(std::move(out));
}

Status Work::take_down(const DownPlan& plan) {
  for (const auto& pool : site_.fleet().pools) TRY(stop_pool(site_, pool.name));
  TRY(stop_unlisted(site_, plan.unlisted));
  for (const auto& [pool, _] : planned_.observed.pools) TRY(site_.store().forget_pool(pool));
  TRY_IN(remove_director(site_), "director");
  TRY(site_.store().set_active_pool({}));
  if (plan.unfinished) {
    TRY(site_.store().finish_rollout(*plan.unfinished, Phase::retired, "the fleet was taken down"));
  }
  // Nobody will call them any more, so where they were is nobody's business.
  return site_.store().forget_all_clients();
}

/// Names the rollout that was not finished, and adds what its journal knows. Who goes back does not
/// wait for a walk through a long journal: where clients were stands in the state beside it.
Status look_back(Site& site, const Order& order, Observed& observed) {
  const StoredRollout* unfinished = unfinished_rollout(observed);
  if (unfinished == nullptr) return {};
  const std::string name = "rollout " + std::to_string(unfinished->id);
  if (std::holds_alternative<RollbackOrder>(order) || std::holds_alternative<DownOrder>(order)) {
    site.say(name + " was not finished: it ended while " + std::string(name_of(unfinished->phase)));
    return {};
  }
  TRY_ASSIGN(const auto journal, site.store().journal(unfinished->id));
  const auto past = resume(journal);
  if (!past) {
    site.say(
        "the journal of " + name +
        " cannot be walked, so only what nodes and director say counts: " + past.error().message);
    return {};
  }
  if (!*past) return {};
  site.say(name + " was not finished: its journal has " + counted((*past)->steps, "step") +
           " and ends while " + std::string(name_of((*past)->phase)));
  for (const auto& [key, place] : (*past)->places) observed.clients.try_emplace(key, place);
  return {};
}

/// Whether nodes can serve the fleet's identity, and be given it where they will be. Nodes are
/// given it once they are up; its passphrase is asked for then.
Status check_identity(Site& site, const OrderPlan& plan, const Observed& observed) {
  const auto* up = std::get_if<UpPlan>(&plan.what);
  const auto* deploy = std::get_if<DeployPlan>(&plan.what);
  const PoolPlan* pool = up != nullptr ? &up->pool : deploy != nullptr ? &deploy->pool : nullptr;
  if (pool == nullptr && !std::holds_alternative<NothingPlan>(plan.what)) return {};
  const bool gives = pool != nullptr && gives_identity(*pool, observed);
  Status fine = gives ? site.check_identity() : site.check_served();
  const auto keys = site.identity_keys();
  if (pool != nullptr) TRY(site.check_node_files(pool->pool));
  if (!fine) {
    if (keys) fine.error().message += holders_of_outgoing(*keys, observed);
    return fine;
  }
  if (pool == nullptr || !keys) return {};
  for (const NodeId& node : pool->keep) {
    TRY(check_held_key(*observed.nodes.at(node).identity, *keys));
  }
  return {};
}

/// Whether the fleet has what services of the release ask for, before a node waits for it in vain.
Status check_asked_files(Site& site, const OrderPlan& plan) {
  const auto* up = std::get_if<UpPlan>(&plan.what);
  const auto* deploy = std::get_if<DeployPlan>(&plan.what);
  if (up == nullptr && deploy == nullptr) return {};
  const PoolPlan& pool = up != nullptr ? up->pool : deploy->pool;
  if (pool.boot.empty()) return {};
  const ReleaseFacts& release = up != nullptr ? up->release : deploy->release;
  TRY_ASSIGN(const auto services, site.services_of(release.release.name, release.digest));
  const auto& given = site.pool(pool.pool).files;
  for (const auto& service : services) {
    for (const auto& file : service.files) {
      if (given.contains(file.name)) continue;
      return fail(Errc::not_found, "service " + service.name + " of release " +
                                       release.release.name.string() + " asks for file " +
                                       file.name + ": name it under `files` of pool " +
                                       pool.pool.string() + " in the fleet document");
    }
  }
  return {};
}

/// Without it nodes boot, clients connect, and none of their packets leaves.
Status check_upstream(Site& site) {
  const Status there = site.director().check_upstream();
  if (there) return {};
  const auto& space = site.documents().director().network_namespace;
  return fail(
      there.error().code,
      "fleet document: director.upstream_interface: " + there.error().message +
          (space ? " in network namespace " + *space : " on this host") +
          "; name the one by which packets that left a tunnel go on (`ip link` lists them)");
}

}  // namespace

Result<Planned> plan_on(Site& site, const Order& order, Seeing seeing) {
  std::optional<keys::Verified<manifests::Release>> release;
  std::optional<ReleaseFacts> facts;
  if (const ReleaseName* name = release_of(order)) {
    TRY_ASSIGN(release, read_verified_release(site, *name, seeing));
    facts = ReleaseFacts{**release, release->digest(), std::string(release->signer())};
  }
  const bool hurry = std::holds_alternative<RollbackOrder>(order);
  TRY_ASSIGN(auto observed, observe(site, hurry ? kHurry : kControlPatience));
  TRY(look_back(site, order, observed));
  TRY_ASSIGN(auto plan, plan_order(order, site.documents(), observed, facts));
  if (std::holds_alternative<UpOrder>(order)) TRY(check_upstream(site));
  TRY(check_identity(site, plan, observed));
  TRY(check_asked_files(site, plan));
  return Planned{std::move(plan), std::move(observed), std::move(release)};
}

Result<Report> carry_out(const Orders& orders, const Planned& planned) {
  orders.site.end_when(orders.interrupted);
  if (planned.observed.installed && !planned.observed.steered) {
    const auto& space = orders.site.documents().director().network_namespace;
    TRY_IN(orders.site.store().set_steered_namespace(space.value_or("")), "state");
  }
  return std::visit(Work(orders, planned), planned.plan.what);
}

Result<Report> run_order(const Orders& orders, const Order& order) {
  orders.site.end_when(orders.interrupted);
  std::string what(name_of(order));
  if (const ReleaseName* release = release_of(order)) what += " of " + release->string();
  const std::string state = orders.site.path(orders.site.fleet().state);
  TRY_ASSIGN_IN(const Fd mark, mark_order(state, what), "state");
  TRY_ASSIGN(const Planned planned, plan_on(orders.site, order, Seeing::remembered));
  return carry_out(orders, planned);
}

}  // namespace weir::deployer
