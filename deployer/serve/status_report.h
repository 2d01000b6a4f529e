#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "deployer/orders/observed.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"

namespace weir::deployer {

struct NodeStatus {
  NodeId node;
  std::string machine;  ///< "running", "frozen", "gone"
  bool answers = false;
  bool awaited = false;  ///< an order that is carried out waits for it
  std::string trouble;   ///< why it does not
  std::string kernel;
  std::string boot_id;
  std::size_t peers = 0;
  std::size_t clients = 0;  ///< whose home it is
  std::vector<manifests::ServiceReport> services{};
};

struct PoolStatus {
  PoolName pool;
  std::string release;  ///< empty: not booted
  bool active = false;
  std::vector<NodeStatus> nodes;
};

struct ClientStatus {
  std::string name;
  PublicKey key;
  std::string endpoint;                         ///< empty: never seen
  std::optional<NodeId> node;                   ///< whose session it uses
  std::optional<std::int64_t> handshake_age_s;  ///< absent: its node cannot be asked
  bool prepared_elsewhere = false;              ///< rights, holds or a home of another node stand
};

/// What is true on the data plane, and what the journal adds to it.
struct StatusReport {
  std::string fleet;
  bool steering = false;  ///< the director's table is there
  std::string director_trouble;
  std::string registry_trouble;  ///< it lost more peers than may go unasked
  std::uint64_t version = 0;
  std::vector<PoolStatus> pools;
  std::string naming_trouble;         ///< other pools run than the fleet names
  std::vector<NodeId> unlisted;       ///< nodes with a machine that the fleet does not name
  std::vector<ClientStatus> clients;  ///< those with a session, by name
  std::size_t idle = 0;               ///< registered peers without one
  std::size_t rights = 0, holds = 0;  ///< of a movement that runs or was interrupted
  std::set<NodeId> held_back;         ///< nodes with holds that do not answer
  std::string ordering;               ///< the order that is carried out, and by whom
  std::string rollout;                ///< the newest one, in a sentence
  std::string advice;                 ///< what to do; empty: nothing
};

[[nodiscard]] StatusReport status_of(const Documents& documents, const Observed& observed);
[[nodiscard]] std::string print_text(const StatusReport& report);
[[nodiscard]] std::string print_json(const StatusReport& report);
/// Where nothing could be read: `error` and `error_code`.
[[nodiscard]] std::string print_json(const Error& error);

}  // namespace weir::deployer
