#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "deployer/orders/control.h"
#include "deployer/orders/edge/orders.h"

namespace weir::deployer {

/// Runs an order on a site, whichever way it came in. Failing is an answer too.
[[nodiscard]] ControlReply answer_order(const Orders& orders, const Order& order);
/// What `order` is told that could not be carried out, or not be begun.
[[nodiscard]] ControlReply refusal_of(const Order& order, const Error& error);

/// The process that stays: holds the fleet's lock, watches nodes, and takes orders at
/// `<state>/control.sock` one after the other until `interrupted`; an order under way is then ended
/// in order. Documents are read afresh for every order. errors: busy: another process holds the
/// fleet
Status serve(const std::string& fleet_path, const std::atomic<bool>& interrupted,
             Progress progress);

/// Hands an order to the process that serves the fleet, and shows its progress.
///
/// silence  how long a process that was told to end the order may say nothing: one that works says
///          what it waits for every few seconds, one that is stopped never answers
/// returns  nullopt: nobody serves it
Result<std::optional<ControlReply>> order_from_server(
    const std::string& fleet_path, const Order& order, const std::atomic<bool>& interrupted,
    const Progress& progress, std::chrono::milliseconds silence = std::chrono::seconds(20));

}  // namespace weir::deployer
