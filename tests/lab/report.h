#pragma once

#include <map>
#include <string>
#include <vector>

#include "manifests/base/net.h"
#include "tests/lab/statistics.h"

namespace weir::lab {

/// One order to the deployer and what it did to the clients, as seen from outside.
struct Movement {
  std::string name;          ///< "deploy", "rollback", ...
  UnixNs ordered = 0;        ///< the command was started
  UnixNs ended = 0;          ///< it returned
  UnixNs watched_until = 0;  ///< silence counts until here
  UnixNs first_moved = 0,
         last_moved = 0;  ///< clients' data on the new pool's links; 0: not all moved
  std::vector<std::string> not_moved;
};

struct Report {
  TrafficLog traffic;
  std::vector<Movement> movements;
  std::vector<std::string> failures;  ///< what went wrong beyond the numbers
};

/// Fills in when the clients moved. `clients` are names and outer addresses.
void see_moves(Movement& movement, const std::map<std::string, IpAddress>& clients,
               const std::map<IpAddress, std::vector<Passage>>& passages,
               const std::vector<std::string>& interfaces);

/// Everything that must not be: lost packets, resets, bytes that came back wrong or not at all.
[[nodiscard]] std::vector<std::string> verdicts(const Report& report);

[[nodiscard]] std::string print_table(const Report& report);
[[nodiscard]] std::string print_json(const Report& report);

}  // namespace weir::lab
