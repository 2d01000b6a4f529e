#include "deployer/serve/status_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weir::deployer {
namespace {

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace

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
      out += "  " + padded(node.node.string(), 10) + "  machine " + padded(node.machine, 7) + "  ";
      out += node.answers ? "kernel " + node.kernel + ", " + std::to_string(node.peers) +
                                " peers, " + std::to_string(node.clients) + " clients"
                          : "no answer" + (node.trouble.empty() ? "" : ": " + node.trouble);
      out += "\n";
    }
  }
  if (!report.clients.empty()) {
    std::size_t width = 6;
    for (const ClientStatus& client : report.clients) width = std::max(width, client.name.size());
    out += padded("client", width) + "  node        endpoint                  handshake\n";
    for (const ClientStatus& client : report.clients) {
      out += padded(client.name, width) + "  " +
             padded(client.node ? client.node->string() : std::string("-"), 10) + "  " +
             padded(client.endpoint, 24) + "  " + std::to_string(client.handshake_age_s) +
             " s ago" + (client.prepared_elsewhere ? "  being moved" : "") + "\n";
    }
  }
  if (report.steering) out += std::to_string(report.idle) + " registered peers are idle\n";
  if (report.rights + report.holds != 0) {
    out += std::to_string(report.rights) + " rights to initiate and " +
           std::to_string(report.holds) + " holds stand\n";
  }
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
      nodes.push_back(std::move(line));
    }
    out["pools"].push_back({{"pool", pool.pool.string()},
                            {"release", pool.release},
                            {"active", pool.active},
                            {"nodes", std::move(nodes)}});
  }
  out["clients"] = Json::array();
  for (const ClientStatus& client : report.clients) {
    out["clients"].push_back({{"name", client.name},
                              {"public_key", client.key.string()},
                              {"endpoint", client.endpoint},
                              {"node", client.node ? Json(client.node->string()) : Json(nullptr)},
                              {"handshake_age_s", client.handshake_age_s},
                              {"being_moved", client.prepared_elsewhere}});
  }
  out["idle"] = report.idle;
  out["rights"] = report.rights;
  out["holds"] = report.holds;
  out["rollout"] = report.rollout;
  out["next"] = report.advice;
  return out.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace weir::deployer
