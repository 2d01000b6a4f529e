#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "deployer/orders/observed.h"
#include "deployer/orders/order.h"
#include "deployer/orders/registry_change.h"
#include "deployer/rollout/terms/plan.h"
#include "deployer/rollout/terms/reason.h"

/// What an order comes to, decided before anything is done. `--plan` prints the value; an order
/// carries out the value.
namespace weir::deployer {

/// What planning has to know of a verified release.
struct ReleaseFacts {
  manifests::Release release;
  Digest digest;
  std::string signer;
};

/// How a pool comes to run a release.
struct PoolPlan {
  PoolName pool;
  std::vector<NodeId> keep;  ///< run it already, and answer
  std::vector<NodeId> boot;  ///< are booted from it
  std::vector<NodeId> end;   ///< those of them whose machine is there, and ends first
};

struct UpPlan {
  ReleaseFacts release;
  PoolPlan pool;
  Plan rollout;  ///< `rollout.ground`: what is made, and undone should it fail
};

/// How many active clients go from one node to another.
using Moves = std::map<std::pair<NodeId, NodeId>, std::size_t>;

struct DeployPlan {
  ReleaseFacts release;
  PoolPlan pool;
  Plan rollout;
  Moves moves;
};

/// The pool in use runs the release, and no rollout is unfinished.
struct NothingPlan {
  PoolName pool;
  ReleaseName release;
};

struct RollbackPlan {
  Plan rollout;
  Moves moves;
};

struct DownPlan {
  std::vector<NodeId> machines;            ///< that are recorded
  std::vector<NodeId> unlisted;            ///< such of nodes that the fleet does not name any more
  std::optional<std::int64_t> unfinished;  ///< this rollout ends with it
};

struct OrderPlan {
  Order order;
  std::variant<UpPlan, DeployPlan, NothingPlan, RollbackPlan, DownPlan> what;
  RegistryChange registry;  ///< nodes that run are brought to the registry; `down` changes none
  /// More peers are missing from the registry than may go unasked: a rollback leaves them where
  /// they are.
  bool keep_removed = false;
  std::vector<Reason> warnings;
};

/// Decides. Pure: the same documents and the same look give the same plan.
///
/// release  of `up` and `deploy`
/// errors   integrity: another fleet's steering stands; not_found: nothing is up, or there is
/// nothing to go back to; busy: another rollout or
///          release is in the way; exhausted: the registry lost too many peers; each says what to
///          do
[[nodiscard]] Result<OrderPlan> plan_order(const Order& order, const Documents& documents,
                                           const Observed& observed,
                                           const std::optional<ReleaseFacts>& release);

/// Back from where `plan` went.
[[nodiscard]] Plan return_plan(const Documents& documents, const Observed& observed,
                               const Plan& plan);

[[nodiscard]] std::string print_text(const OrderPlan& plan);  ///< lines for people
[[nodiscard]] std::string print_json(const OrderPlan& plan);  ///< one object, docs/deployer.md

}  // namespace weir::deployer
