#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "deployer/rollout/rollout.h"

namespace weir::deployer {

/// One line of a result's table.
struct ClientReport {
  std::string name;  ///< the registry's, else the public key
  PublicKey key;
  std::map<std::string, std::string> labels;
  NodeId node;  ///< where it is now
  bool moved = false;
  bool counted = true;
  Instant moved_at{0};
  std::string why;
};

/// What an order came to.
struct Report {
  std::string order;    ///< "deploy"
  std::string release;  ///< empty where none was involved
  std::string from_pool, to_pool;
  Outcome outcome = Outcome::none;
  Phase phase = Phase::planned;
  std::string error;                  ///< empty when done
  std::vector<ClientReport> clients;  ///< by name
  Instant took{0};
  Instant moving_began{0};  ///< after the order, as the next
  Instant last_moved{0};
  std::vector<std::string> warnings;
};

[[nodiscard]] Report report_of(const Plan& plan, const State& state, Instant took);
/// 0 done, 1 failed, 3 rolled back, 4 needs a person.
[[nodiscard]] int exit_code(Outcome outcome);
[[nodiscard]] std::string_view name_of(Outcome outcome);
/// A table for people, with a line's end at the end.
[[nodiscard]] std::string print_text(const Report& report);
[[nodiscard]] std::string print_json(const Report& report);  ///< one object, docs/deployer.md

}  // namespace weir::deployer
