#include "deployer/serve/edge/status.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "deployer/orders/edge/planning.h"
#include "deployer/rollout/terms/whereabouts.h"

namespace weir::deployer {
namespace {

struct NodeReading {
  NodeStatus status;
  std::optional<manifests::PeerDump> dump;
};

std::string machine_name(pool::MachineState state) {
  switch (state) {
    case pool::MachineState::running:
      return "running";
    case pool::MachineState::frozen:
      return "frozen";
    case pool::MachineState::gone:
      return "gone";
  }
  return "gone";
}

NodeReading read_node(Site& site, const NodeId& node, std::chrono::milliseconds patience) {
  NodeReading out{{node, "gone", false, {}, {}, {}, 0, 0}, {}};
  const auto state = site.machine_state(node);
  if (state) out.status.machine = machine_name(*state);
  if (!state || *state != pool::MachineState::running) return out;
  auto client = site.connect(node, patience);
  if (!client) {
    out.status.trouble = client.error().message;
    return out;
  }
  const auto identity = client->identity();
  if (!identity) {
    out.status.trouble = identity.error().message;
    return out;
  }
  out.status.answers = true;
  out.status.kernel = identity->kernel_release;
  out.status.boot_id = identity->boot_id;
  if (auto dump = client->peers()) {
    out.status.peers = dump->peers.size();
    out.dump = std::move(*dump);
  } else {
    out.status.trouble = dump.error().message;
  }
  return out;
}

std::map<NodeId, NodeReading> read_nodes(Site& site, std::chrono::milliseconds patience) {
  std::map<NodeId, NodeReading> out;
  std::vector<NodeId> nodes;
  std::mutex lock;
  for (const auto& link : site.links()) nodes.push_back(link.node);
  (void)for_each_node(nodes, [&](const NodeId& node) -> Status {
    NodeReading reading = read_node(site, node, patience);
    const std::lock_guard guard(lock);
    out.emplace(node, std::move(reading));
    return {};
  });
  return out;
}

void add_clients(const Site& site, const std::map<NodeId, NodeReading>& nodes,
                 const std::optional<director::Observed>& observed, StatusReport& out) {
  std::map<NodeId, manifests::PeerDump> dumps;
  for (const auto& [node, reading] : nodes) {
    if (reading.dump) dumps.emplace(node, *reading.dump);
  }
  const auto found = whereabouts(dumps, observed);
  for (const auto& [key, place] : found) {
    const auto peer = site.peers().find(key);
    ClientStatus client{
        peer == site.peers().end() || peer->second.name.empty() ? key.string() : peer->second.name,
        key,
        place.endpoint.string(),
        place.node,
        place.age.count(),
        false};
    if (observed) {
      const auto concerns = [endpoint = place.endpoint](const director::Grant& it) {
        return it.client == endpoint;
      };
      client.prepared_elsewhere =
          (place.home && *place.home != place.node) ||
          std::any_of(observed->steering.kicks.begin(), observed->steering.kicks.end(), concerns) ||
          std::any_of(observed->steering.holds.begin(), observed->steering.holds.end(), concerns);
    }
    out.clients.push_back(std::move(client));
  }
  std::sort(out.clients.begin(), out.clients.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  out.idle = static_cast<std::size_t>(
      std::count_if(site.peers().begin(), site.peers().end(),
                    [&](const auto& it) { return !found.contains(it.first); }));
}

void add_rollout(const StoredRollout& rollout, StatusReport& out) {
  out.rollout = std::string("last rollout: ") + std::string(name_of(rollout.kind)) +
                (rollout.release.empty() ? "" : " of " + rollout.release) + " from pool " +
                rollout.from_pool.string() + " to pool " + rollout.to_pool.string() + ", " +
                std::string(name_of(rollout.phase)) +
                (rollout.finished ? ": " + rollout.outcome : ", not finished");
  if (rollout.finished) return;
  if (rollout.kind == Kind::rollback) {
    out.advice = "finish the rollback with `weir-deployer rollback`";
  } else {
    out.advice = "finish the deploy with `weir-deployer deploy --release " + rollout.release +
                 "`, or undo it with `weir-deployer rollback`";
  }
}

}  // namespace

Result<StatusReport> read_status(Site& site, std::chrono::milliseconds patience) {
  StatusReport out;
  out.fleet = site.fleet().name.string();
  std::optional<director::Observed> observed;
  std::map<NodeId, NodeReading> nodes;
  std::thread reader([&] { nodes = read_nodes(site, patience); });
  if (auto installed = site.director().installed(); !installed) {
    out.director_trouble = installed.error().message;
  } else if (*installed) {
    auto read = site.director().read();
    if (read) {
      observed = std::move(*read);
    } else {
      out.director_trouble = read.error().message;
    }
  }
  reader.join();
  std::map<NodeId, std::size_t> homes;
  if (observed) {
    out.steering = true;
    out.version = observed->steering.revision;
    out.rights = observed->steering.kicks.size();
    out.holds = observed->steering.holds.size();
  }
  add_clients(site, nodes, observed, out);
  for (const ClientStatus& client : out.clients) {
    if (client.node) ++homes[*client.node];
  }
  TRY_ASSIGN(const auto stored, site.store().pools());
  for (const manifests::PoolSpec& spec : site.fleet().pools) {
    PoolStatus pool{spec.name, {}, false, {}};
    if (const auto it = stored.find(spec.name); it != stored.end())
      pool.release = it->second.release.string();
    for (const NodeId& node : spec.nodes) {
      const bool active = observed && director::serves(observed->steering.active, node);
      pool.active = pool.active || active;
      NodeStatus status = nodes.at(node).status;
      status.clients = homes[node];
      pool.nodes.push_back(std::move(status));
    }
    out.pools.push_back(std::move(pool));
  }
  TRY_ASSIGN(const auto rollouts, site.store().rollouts(1));
  if (!rollouts.empty()) add_rollout(rollouts.front(), out);
  return out;
}

}  // namespace weir::deployer
