#include "deployer/serve/status_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "deployer/orders/order_plan.h"
#include "deployer/rollout/terms/counted.h"
#include "deployer/serve/registry_guard.h"

namespace weir::deployer {
namespace {

std::string column(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

bool concerns(const std::set<director::Grant>& grants, const Endpoint& client,
              const Observed& observed) {
  return std::any_of(grants.begin(), grants.end(), [&](const director::Grant& it) {
    return it.client == client && !is_silent(observed, it.node);
  });
}

void add_clients(const Documents& documents, const Observed& observed, StatusReport& out) {
  const auto found = whereabouts(observed);
  for (const auto& [key, place] : found) {
    ClientStatus client{documents.shown(key), key, place.endpoint.string(), place.node, {}, false};
    if (place.age) client.handshake_age_s = place.age->count();
    if (observed.director) {
      const auto& steering = observed.director->steering;
      client.prepared_elsewhere = (place.home && *place.home != place.node) ||
                                  concerns(steering.kicks, place.endpoint, observed) ||
                                  concerns(steering.holds, place.endpoint, observed);
    }
    out.clients.push_back(std::move(client));
  }
  std::sort(out.clients.begin(), out.clients.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  out.idle = static_cast<std::size_t>(
      std::count_if(documents.peers.begin(), documents.peers.end(),
                    [&](const auto& it) { return !found.contains(it.first); }));
}

/// Who carries out an order is not told how to end it.
void add_rollout(const StoredRollout& rollout, StatusReport& out) {
  out.rollout = std::string("last rollout: ") + std::string(name_of(rollout.kind)) +
                (rollout.release.empty() ? "" : " of " + rollout.release) + " from pool " +
                rollout.from_pool.string() + " to pool " + rollout.to_pool.string() + ", " +
                std::string(name_of(rollout.phase)) +
                (rollout.finished       ? ": " + rollout.outcome
                 : out.ordering.empty() ? ", not finished"
                                        : "");
  if (rollout.finished || !out.ordering.empty()) return;
  if (rollout.kind == Kind::rollback) {
    out.advice = "finish the rollback with `weir-deployer rollback`";
  } else {
    out.advice = "finish the deploy with `weir-deployer deploy --release " + rollout.release +
                 "`, or undo it with `weir-deployer rollback`";
  }
}

/// Where nodes of the active pool do not run.
std::string advice_for_dead(const Documents& documents, const Observed& observed,
                            const PoolStatus& active) {
  std::string names;
  std::size_t dead = 0;
  for (const NodeStatus& node : active.nodes) {
    if (node.machine == "running") continue;
    names += (++dead == 1 ? "" : ", ") + node.node.string();
  }
  if (dead == 0) return {};
  const auto back = plan_order(RollbackOrder{}, documents, observed, {});
  const std::string up =
      "boot what is missing with `weir-deployer up --release " + active.release + "`";
  return names + (dead == 1 ? " does not run: " : " do not run: ") +
         (back ? "move everybody back with `weir-deployer rollback`, or " + up : up);
}

constexpr std::size_t kLinesShown = 3;

// Those that are up in one line; of each other what is wrong, and what it said.
std::string service_lines(const std::vector<manifests::ServiceReport>& services) {
  std::string up, others;
  for (const auto& service : services) {
    const bool fine = is_up(service) && service.restarts == 0;
    if (fine) {
      up += (up.empty() ? "" : ", ") + service.name;
      continue;
    }
    others += "    service " + column(service.name, 10) + "  " + describe(service) + "\n";
    if (is_up(service)) continue;
    const std::size_t all = service.last_lines.size();
    for (std::size_t i = all - std::min(all, kLinesShown); i < all; ++i) {
      others += "      | " + service.last_lines[i] + "\n";
    }
  }
  return (up.empty() ? "" : "    services up: " + up + "\n") + others;
}

nlohmann::ordered_json as_json(const manifests::ServiceReport& service) {
  nlohmann::ordered_json out{{"name", service.name},
                             {"state", name_of(service.state)},
                             {"up", is_up(service)},
                             {"in_state_s", service.in_state.count() / 1000},
                             {"restarts", service.restarts}};
  if (!service.waits_for.empty()) out["waits_for"] = service.waits_for;
  if (!service.reason.empty()) out["reason"] = service.reason;
  out["last_lines"] = service.last_lines;
  return out;
}

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

NodeStatus node_status(const NodeId& node, const NodeSeen& seen, std::size_t clients) {
  NodeStatus out{
      node,   machine_name(seen.machine), seen.identity.has_value(), false, seen.trouble, {}, {}, 0,
      clients};
  if (seen.identity) {
    out.kernel = seen.identity->kernel_release;
    out.boot_id = seen.identity->boot_id;
  }
  out.services = seen.services;
  if (seen.dump) out.peers = seen.dump->peers.size();
  return out;
}

}  // namespace

StatusReport status_of(const Documents& documents, const Observed& observed) {
  StatusReport out;
  out.fleet = documents.fleet.name.string();
  out.director_trouble = observed.director_trouble;
  out.ordering = observed.ordering;
  std::vector<director::Bucket> active;
  if (observed.director) {
    const auto& steering = observed.director->steering;
    out.steering = true;
    out.version = steering.revision;
    out.rights = steering.kicks.size();
    out.holds = steering.holds.size();
    for (const director::Grant& hold : steering.holds) {
      if (is_silent(observed, hold.node)) out.held_back.insert(hold.node);
    }
    active = steering.active;
  }
  if (auto fine = judge_registry(documents, observed, {}); !fine) {
    out.registry_trouble = std::move(fine).error().message;
  }
  add_clients(documents, observed, out);
  std::map<NodeId, std::size_t> homes;
  for (const ClientStatus& client : out.clients) {
    if (client.node) ++homes[*client.node];
  }
  for (const manifests::PoolSpec& spec : documents.fleet.pools) {
    PoolStatus pool{spec.name, {}, false, {}};
    if (const auto it = observed.pools.find(spec.name); it != observed.pools.end()) {
      pool.release = it->second.release.string();
    }
    for (const NodeId& node : spec.nodes) {
      pool.active = pool.active || director::serves(active, node);
      const auto seen = observed.nodes.find(node);
      pool.nodes.push_back(
          node_status(node, seen == observed.nodes.end() ? NodeSeen() : seen->second, homes[node]));
    }
    for (NodeStatus& node : pool.nodes) {
      const bool silent = node.machine == "running" && !node.answers && !pool.active;
      if (!silent || out.ordering.empty()) continue;
      node.trouble = "it boots, or is checked";
      node.awaited = true;
    }
    out.pools.push_back(std::move(pool));
  }
  out.unlisted = observed.unlisted;
  out.naming_trouble = naming_trouble(documents, observed);
  if (observed.newest) add_rollout(*observed.newest, out);
  for (const PoolStatus& pool : out.pools) {
    const bool said = !out.advice.empty() || !out.ordering.empty() || !out.naming_trouble.empty();
    if (pool.active && !said) out.advice = advice_for_dead(documents, observed, pool);
  }
  return out;
}

std::string print_text(const StatusReport& report) {
  std::string out = "fleet " + report.fleet + ": ";
  out += report.steering                   ? "steering version " + std::to_string(report.version)
         : report.director_trouble.empty() ? "not up"
                                           : "director: " + report.director_trouble;
  out += "\n";
  for (const PoolStatus& pool : report.pools) {
    out += "pool " + pool.pool.string() + (pool.active ? " (active)" : "") + ": " +
           (pool.release.empty() ? "not booted" : "release " + pool.release) + "\n";
    for (const NodeStatus& node : pool.nodes) {
      if (pool.release.empty() && node.machine == "gone") continue;
      out += "  " + column(node.node.string(), 10) + "  machine " + column(node.machine, 7) + "  ";
      out += node.answers ? "kernel " + node.kernel + ", " + counted(node.peers, "peer") + ", " +
                                counted(node.clients, "client")
                          : std::string(node.awaited ? "no answer yet" : "no answer") +
                                (node.trouble.empty() ? "" : ": " + node.trouble);
      out += "\n" + service_lines(node.services);
    }
  }
  for (const NodeId& node : report.unlisted) {
    out +=
        "node " + node.string() +
        " has a machine, and the fleet does not name it any more; `weir-deployer down` ends it\n";
  }
  if (!report.clients.empty()) {
    std::size_t width = 6;
    for (const ClientStatus& client : report.clients) width = std::max(width, client.name.size());
    out += column("client", width) + "  node        endpoint                  handshake\n";
    for (const ClientStatus& client : report.clients) {
      out += column(client.name, width) + "  " +
             column(client.node ? client.node->string() : std::string("-"), 10) + "  " +
             column(client.endpoint, 24) + "  " +
             (client.handshake_age_s ? std::to_string(*client.handshake_age_s) + " s ago"
                                     : std::string("its node does not answer")) +
             (client.prepared_elsewhere ? "  being moved" : "") + "\n";
    }
  }
  if (report.steering) out += std::to_string(report.idle) + " registered peers are idle\n";
  if (!report.naming_trouble.empty()) out += "fleet document: " + report.naming_trouble + "\n";
  if (!report.registry_trouble.empty()) out += "registry: " + report.registry_trouble + "\n";
  if (report.rights + report.holds != 0) {
    out += std::to_string(report.rights) + " rights to initiate and " +
           std::to_string(report.holds) + " holds stand\n";
  }
  for (const NodeId& node : report.held_back) {
    out += "node " + node.string() +
           " does not answer: what it may yet say to clients is held back, until an order asks it "
           "again or boots it anew\n";
  }
  if (!report.ordering.empty()) out += report.ordering + "\n";
  if (!report.rollout.empty()) out += report.rollout + "\n";
  if (!report.advice.empty()) out += "next: " + report.advice + "\n";
  return out;
}

std::string print_json(const StatusReport& report) {
  using Json = nlohmann::ordered_json;
  Json out;
  out["fleet"] = report.fleet;
  out["steering"] = report.steering;
  if (!report.director_trouble.empty()) out["director_trouble"] = report.director_trouble;
  if (!report.naming_trouble.empty()) out["naming_trouble"] = report.naming_trouble;
  if (!report.registry_trouble.empty()) out["registry_trouble"] = report.registry_trouble;
  out["version"] = report.version;
  out["active_pool"] = nullptr;
  out["pools"] = Json::array();
  for (const PoolStatus& pool : report.pools) {
    if (pool.active) out["active_pool"] = pool.pool.string();
    Json nodes = Json::array();
    for (const NodeStatus& node : pool.nodes) {
      Json line{{"node", node.node.string()}, {"machine", node.machine}, {"answers", node.answers}};
      if (node.answers) {
        line["kernel"] = node.kernel;
        line["boot_id"] = node.boot_id;
        line["peers"] = node.peers;
      } else if (!node.trouble.empty()) {
        line["trouble"] = node.trouble;
      }
      line["clients"] = node.clients;
      if (!node.services.empty()) {
        line["services"] = Json::array();
        for (const auto& service : node.services) line["services"].push_back(as_json(service));
      }
      nodes.push_back(std::move(line));
    }
    out["pools"].push_back({{"pool", pool.pool.string()},
                            {"release", pool.release},
                            {"active", pool.active},
                            {"nodes", std::move(nodes)}});
  }
  if (!report.unlisted.empty()) {
    out["unlisted"] = Json::array();
    for (const NodeId& node : report.unlisted) out["unlisted"].push_back(node.string());
  }
  out["clients"] = Json::array();
  for (const ClientStatus& client : report.clients) {
    out["clients"].push_back(
        {{"name", client.name},
         {"public_key", client.key.string()},
         {"endpoint", client.endpoint},
         {"node", client.node ? Json(client.node->string()) : Json(nullptr)},
         {"handshake_age_s",
          client.handshake_age_s ? Json(*client.handshake_age_s) : Json(nullptr)},
         {"being_moved", client.prepared_elsewhere}});
  }
  out["idle"] = report.idle;
  out["rights"] = report.rights;
  out["holds"] = report.holds;
  if (!report.ordering.empty()) out["ordering"] = report.ordering;
  out["rollout"] = report.rollout;
  out["next"] = report.advice;
  return out.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string print_json(const Error& error) {
  const nlohmann::ordered_json out{{"error", error.message}, {"error_code", name_of(error.code)}};
  return out.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weir::deployer
