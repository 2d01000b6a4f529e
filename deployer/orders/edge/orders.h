#pragma once

#include <atomic>
#include <string>

#include "deployer/orders/edge/site.h"
#include "deployer/rollout/report.h"

/// What a person can order. Each works on a site that is open for writing, unless it says
/// otherwise.
namespace weir::deployer {

struct Orders {
  Site& site;
  const std::atomic<bool>& interrupted;
  std::chrono::steady_clock::time_point ordered_at;
};

/// Boots the first pool (or what is missing of the active one) and makes it active.
Result<Report> up(const Orders& orders, const ReleaseName& release);
/// Moves everybody to the other pool, booted from `release`.
Result<Report> deploy(const Orders& orders, const ReleaseName& release, bool strict);
/// Moves everybody back.
Result<Report> rollback(const Orders& orders);
/// Ends both pools and removes the steering.
Result<Report> down(const Orders& orders);

/// What an order would do, in words; changes nothing (a site open for reading will do).
Result<std::string> plan_up(Site& site, const ReleaseName& release);
Result<std::string> plan_deploy(Site& site, const ReleaseName& release);
Result<std::string> plan_rollback(Site& site);
Result<std::string> plan_down(Site& site);

}  // namespace weir::deployer
