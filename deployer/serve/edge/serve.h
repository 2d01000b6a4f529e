#pragma once

#include <atomic>
#include <string>

#include "deployer/orders/control.h"
#include "deployer/orders/edge/site.h"

namespace weir::deployer {

/// Runs an order on a site, whichever way it came in. errors: those of the order
Result<ControlReply> run_control_order(Site& site, const ControlOrder& order,
                                       const std::atomic<bool>& interrupted,
                                       std::chrono::steady_clock::time_point ordered_at);

/// The process that stays: holds the fleet's lock, watches nodes, and takes orders at
/// `<state>/control.sock` one after the other until `interrupted`; an order under way is then ended
/// in order. Documents are read afresh for every order. errors: busy: another process holds the
/// fleet
Status serve(const std::string& fleet_path, const std::atomic<bool>& interrupted,
             Progress progress);

/// Hands an order to the process that serves the fleet, and shows its progress.
/// returns  nullopt: nobody serves it
Result<std::optional<ControlReply>> order_from_server(const std::string& fleet_path,
                                                      const ControlOrder& order,
                                                      const std::atomic<bool>& interrupted,
                                                      const Progress& progress);

}  // namespace weir::deployer
