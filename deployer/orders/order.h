#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "manifests/base/names.h"
#include "manifests/base/result.h"

/// What a person can order, as one value: the command line and the control socket make it, planning
/// and running take it.
namespace weir::deployer {

/// How many peers may leave the nodes because the registry does not name them any more; absent: as
/// many as `policy.max_removed` lets go without being asked.
using AllowedRemovals = std::optional<std::uint32_t>;

/// Boots the first pool (or what is missing of the active one) and makes it active.
struct UpOrder {
  ReleaseName release;
  AllowedRemovals allow_removals;
  bool operator==(const UpOrder&) const = default;
};
/// Moves everybody to another pool, booted from `release`.
struct DeployOrder {
  ReleaseName release;
  std::optional<PoolName> to;  ///< absent: the one behind the active pool in the fleet document
  bool strict = false;         ///< one client that cannot be prepared is too many
  AllowedRemovals allow_removals;
  bool operator==(const DeployOrder&) const = default;
};
/// Moves everybody back.
struct RollbackOrder {
  AllowedRemovals allow_removals;
  bool operator==(const RollbackOrder&) const = default;
};
/// Ends all pools and removes the steering.
struct DownOrder {
  bool operator==(const DownOrder&) const = default;
};
using Order = std::variant<UpOrder, DeployOrder, RollbackOrder, DownOrder>;

/// What can be said about an order, whoever says it: before it is known whether it makes sense.
struct OrderWords {
  std::string command;  ///< "up", "deploy", "rollback", "down"
  std::string release;  ///< empty: none
  std::string to;       ///< a pool's name; empty: none
  bool strict = false;
  AllowedRemovals allow_removals;
};
/// errors: invalid_input: an unknown command, or words that it does not take or lacks
[[nodiscard]] Result<Order> make_order(const OrderWords& words);

[[nodiscard]] std::string_view name_of(const Order& order);  ///< the command
[[nodiscard]] const ReleaseName* release_of(const Order& order);
[[nodiscard]] AllowedRemovals allowed_removals(const Order& order);

/// One JSON object, as it passes over the control socket (docs/deployer.md).
[[nodiscard]] std::string print(const Order& order);
/// errors: invalid_input, naming the field
[[nodiscard]] Result<Order> parse_order(std::string_view json);

}  // namespace weir::deployer
