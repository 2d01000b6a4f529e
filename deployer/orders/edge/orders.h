#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "deployer/orders/order_plan.h"
#include "deployer/rollout/report.h"
#include "deployer/site/edge/accepted_release.h"
#include "deployer/site/edge/site.h"

namespace weir::deployer {

/// An order that was planned on what is true now, with the proof that its release may run.
struct Planned {
  OrderPlan plan;
  Observed observed;
  std::optional<keys::Verified<manifests::Release>> release;
};

/// Verifies the order's release, looks at the fleet and decides. Changes nothing: a site open for
/// reading will do. errors: those of the release and of `plan_order`
[[nodiscard]] Result<Planned> plan_on(Site& site, const Order& order, Seeing seeing);

struct Orders {
  Site& site;  ///< open for writing, or under the lock of one that is
  const std::atomic<bool>& interrupted;
  std::chrono::steady_clock::time_point ordered_at;
};

/// Does what the plan says.
[[nodiscard]] Result<Report> carry_out(const Orders& orders, const Planned& planned);

/// The one after the other.
[[nodiscard]] Result<Report> run_order(const Orders& orders, const Order& order);

}  // namespace weir::deployer
