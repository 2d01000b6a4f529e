#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "deployer/rollout/terms/commands.h"
#include "deployer/rollout/terms/plan.h"
#include "deployer/rollout/terms/reason.h"

/// How nodes come to life: booted, known for what they are, in time, fed, proved. Written once, for
/// rollouts, for `up`, and for a node that was booted again. Pure, as `step` is.
namespace weir::deployer::nodelife {

enum class Booting : std::uint8_t { pool, done };  ///< `done`: they run already
enum class Probing : std::uint8_t { none, booted, all };

/// What is to be reached.
struct Wanted {
  std::vector<NodeId> nodes;
  Booting booting = Booting::pool;
  Probing probing = Probing::none;
  const manifests::Release* release = nullptr;  ///< what they must report; null: not asked for
  std::vector<NodeId> in_time;                  ///< whose clocks have to agree; `nodes` among them
  std::set<NodeId> wrong_clocks{};              ///< of these, who keeps the clock it has
  std::chrono::milliseconds max_clock_skew{200};
};

/// The order is the way.
namespace at {
struct Boot {
  CommandId waits = 0;
  bool operator==(const Boot&) const = default;
};
struct Identities {
  CommandId waits = 0;
  bool operator==(const Identities&) const = default;
};
struct Clocks {
  CommandId waits = 0;
  bool set = false;  ///< those that had drifted were set: what is read now counts
  bool operator==(const Clocks&) const = default;
};
struct Setting {
  CommandId waits = 0;
  bool operator==(const Setting&) const = default;
};
struct Feed {
  CommandId waits = 0;
  bool operator==(const Feed&) const = default;
};
struct Forget {  ///< what packets taught about the node that was there before
  std::set<CommandId> waits;
  bool operator==(const Forget&) const = default;
};
struct Probe {
  CommandId waits = 0;
  bool operator==(const Probe&) const = default;
};
struct Up {
  bool operator==(const Up&) const = default;
};
struct Failed {
  Reason why;
  bool operator==(const Failed&) const = default;
};
}  // namespace at
using At = std::variant<at::Boot, at::Identities, at::Clocks, at::Setting, at::Feed, at::Forget,
                        at::Probe, at::Up, at::Failed>;

struct Life {
  At now{};
  std::vector<NodeId> booted{};
  std::set<NodeId> keyless{};  ///< of `nodes`, when they said who they are
  std::map<NodeId, Fed> fed{};
  bool probed = false;
};

/// Where commands and lines go.
struct Sink {
  std::function<CommandId(Command)> order;
  std::function<void(std::string)> say;
};

/// Orders the first command.
[[nodiscard]] Life begin(const Wanted& wanted, const Sink& sink);
/// Takes an answer; events that are nobody's answer here are passed over.
void step(const Wanted& wanted, Life& life, const Event& event, const Sink& sink);

/// Which clocks are to be set, and how far ahead of the deployer's they then are.
///
/// keyless       they have no private key yet, and so no handshakes: set in either direction. The
///               others by `slow_clocks`
/// wrong_clocks  never set, and followed by nobody
[[nodiscard]] std::map<NodeId, std::chrono::microseconds> drifted(
    std::map<NodeId, std::chrono::microseconds> ahead, const std::set<NodeId>& keyless,
    const std::set<NodeId>& wrong_clocks);

/// Whom a node that was booted again has to call: its clients, by what is known and by steering.
[[nodiscard]] std::vector<manifests::PrepareRequest::Client> to_call(
    const NodeId& node, const std::map<PublicKey, Known>& known, const director::Observed& observed,
    const std::map<PublicKey, manifests::Peer>& registry);

}  // namespace weir::deployer::nodelife
