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
  std::optional<Reason> why;
};

/// What a node was given, and what it lost, to be as the registry says.
struct NodeReport {
  NodeId node;
  std::size_t added = 0, changed = 0, removed = 0;
  std::string error;  ///< empty where it went well
};

/// What an order came to.
struct Report {
  std::string order;               ///< "deploy"
  std::string release;             ///< empty where none was involved
  std::string from_pool, to_pool;  ///< `from_pool` is empty where there was none
  Outcome outcome = Outcome::none;
  Phase phase = Phase::planned;
  std::optional<Reason> refusal;      ///< why it is not done
  std::string error_code{};           ///< `name_of(Errc)`, where the order was not even begun
  Proof proof = Proof::unneeded;      ///< what shows that the pool in use serves
  std::vector<ClientReport> clients;  ///< by name
  std::vector<NodeReport> nodes;      ///< those whose peers were changed, or could not be
  Instant took{0};
  Instant moving_began{0};  ///< after the order, as the next
  Instant last_moved{0};
  std::vector<Reason> warnings;
};

[[nodiscard]] Report report_of(const Plan& plan, const State& state, Instant took);
/// 0 done, 1 failed, 3 rolled back, 4 needs a person.
[[nodiscard]] int exit_code(Outcome outcome);
[[nodiscard]] std::string_view name_of(Outcome outcome);
[[nodiscard]] std::string_view name_of(Proof proof);
/// A table for people, with a line's end at the end. Why it is not done stands beside it, once.
[[nodiscard]] std::string print_text(const Report& report);
[[nodiscard]] std::string print_json(const Report& report);  ///< one object, docs/deployer.md

}  // namespace weir::deployer
