#include "deployer/commands/edge/logs.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "deployer/serve/status_report.h"
#include "deployer/site/edge/site.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/base/printable.h"

namespace weir::deployer {
namespace {

constexpr std::chrono::milliseconds kLogPatience{10000};

struct LogOptions {
  std::string fleet = "fleet.yaml", node, service;
  bool json = false;
};

Result<std::string> lines_of_service(node_client::NodeClient& client, const LogOptions& given) {
  TRY_ASSIGN(const auto services, client.services());
  std::string known;
  for (const auto& service : services) {
    known += (known.empty() ? "" : ", ") + service.name;
    if (service.name != given.service) continue;
    std::string out;
    for (const auto& line : service.last_lines) out += line + "\n";
    return out;
  }
  return fail(Errc::not_found, "--service: node " + given.node + " has no service " +
                                   quotation(given.service) +
                                   (known.empty() ? "" : "; it has " + known));
}

Result<Exit> show_logs(const LogOptions& given, const std::atomic<bool>& interrupted) {
  TRY_ASSIGN_IN(const NodeId node, NodeId::parse(given.node), "NODE");
  TRY_ASSIGN(const auto site, Site::open(given.fleet, Access::read,
                                         [](const std::string& line) { log_step(line); }));
  if (site->pool_of(node) == nullptr) {
    return fail(Errc::not_found, "NODE: " + given.node + " is no node of this fleet");
  }
  site->end_calls_when(interrupted);
  TRY_ASSIGN(const auto client, site->connect(node, kLogPatience));
  std::string text;
  if (given.service.empty()) {
    TRY_ASSIGN(text, client->logs());
  } else {
    TRY_ASSIGN(text, lines_of_service(*client, given));
  }
  if (!given.json) {
    std::cout << printable_lines(text) << std::flush;
    return Exit::done;
  }
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  nlohmann::ordered_json out{{"node", given.node}};
  if (!given.service.empty()) out["service"] = given.service;
  out["lines"] = std::move(lines);
  std::cout << out.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace)
            << std::endl;
  return Exit::done;
}

}  // namespace

weir::Command logs_command(const std::atomic<bool>& interrupted) {
  const auto given = std::make_shared<LogOptions>();
  return {.name = "logs",
          .summary = "what a node said: its kernel, its agent and its services",
          .examples =
              "  weir-deployer logs green-1 --fleet fleet.yaml\n"
              "  weir-deployer logs green-1 --service unbound\n",
          .takes = Positional{"NODE", &given->node},
          .options = {{"fleet,f", "FILE", &given->fleet, "the fleet document"},
                      {"service", "NAME", &given->service, "only the last lines of this service"},
                      {"json", "", &given->json, "the lines as one JSON object"}},
          .run = [given, &interrupted] { return show_logs(*given, interrupted); },
          .failed =
              [given](const Error& error) {
                if (given->json) std::cout << print_json(error) << std::endl;
                return Exit::failed;
              }};
}

}  // namespace weir::deployer
