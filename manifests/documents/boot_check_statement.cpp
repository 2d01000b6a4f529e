#include "manifests/documents/boot_check_statement.h"

#include <algorithm>

#include "manifests/documents/canonical_document.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMostItems = 1000, kMostSteps = 64;

Result<LoadedModule> read_module(JsonFields& fields) {
  LoadedModule out;
  TRY_ASSIGN(out.name, fields.line("name"));
  TRY_ASSIGN(out.version, fields.line("version"));
  TRY_ASSIGN(out.srcversion, fields.line("srcversion"));
  TRY_ASSIGN(out.build_id, fields.line("build_id"));
  return out;
}

Result<ReleasePackage> read_tool(JsonFields& fields) {
  ReleasePackage out;
  TRY_ASSIGN(out.name, fields.line("name"));
  TRY_ASSIGN(out.version, fields.line("version"));
  TRY_ASSIGN(out.architecture, fields.line("architecture"));
  return out;
}

Result<BootStep> read_step(JsonFields& fields) {
  BootStep out;
  TRY_ASSIGN(out.name, fields.line("step"));
  TRY(check_name(out.name).map_error(
      [&](Error error) { return std::move(error).in(fields.path_of("step")); }));
  TRY_ASSIGN(out.milliseconds, fields.natural("ms"));
  return out;
}

Result<AttestedFacts> read_facts(JsonFields fields) {
  TRY_ASSIGN(const Digest lock, fields.digest("lock_digest"));
  AttestedFacts out{lock, {}, {}, {}, {}};
  TRY_ASSIGN(out.kernel_release, fields.line("kernel_release"));
  TRY_ASSIGN(out.kernel_build_id, fields.line("kernel_build_id"));
  TRY_ASSIGN(out.modules, objects(fields, "modules", &read_module, kMostItems));
  TRY_ASSIGN(out.tools, objects(fields, "tools", &read_tool, kMostItems));
  TRY(fields.finish());
  return out;
}

Result<BootTraffic> read_traffic(JsonFields fields) {
  BootTraffic out;
  TRY_ASSIGN(out.sent, fields.natural("sent"));
  TRY_ASSIGN(out.received, fields.natural("received"));
  TRY_ASSIGN(out.peer_tx_bytes, fields.natural("peer_tx_bytes"));
  TRY_ASSIGN(out.peer_rx_bytes, fields.natural("peer_rx_bytes"));
  TRY_ASSIGN(out.node_tx_bytes, fields.natural("node_tx_bytes"));
  TRY_ASSIGN(out.node_rx_bytes, fields.natural("node_rx_bytes"));
  TRY(fields.finish());
  const auto check = [&](std::string_view key, std::uint64_t value, std::uint64_t least) -> Status {
    if (value >= least) return {};
    return fields.refuse(key, "must be at least " + std::to_string(least) + ", not " +
                                  std::to_string(value) +
                                  ": data goes both ways, and through "
                                  "both devices");
  };
  TRY(check("sent", out.sent, 1));
  TRY(check("received", out.received, 1));
  TRY(check("peer_tx_bytes", out.peer_tx_bytes, out.sent));
  TRY(check("node_rx_bytes", out.node_rx_bytes, out.sent));
  TRY(check("peer_rx_bytes", out.peer_rx_bytes, out.received));
  TRY(check("node_tx_bytes", out.node_tx_bytes, out.received));
  return out;
}

Status check_timeline(const JsonFields& fields, const std::vector<BootStep>& steps) {
  if (!std::is_sorted(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
        return a.milliseconds < b.milliseconds;
      })) {
    return fields.refuse("timeline", "must be in the order of time");
  }
  const auto count = [&](std::string_view name) {
    return std::count_if(steps.begin(), steps.end(),
                         [&](const auto& it) { return it.name == name; });
  };
  for (const BootStep& step : steps) {
    if (count(step.name) > 1) return fields.refuse("timeline", "names '" + step.name + "' twice");
  }
  for (const auto needed : {kHandshakeStep, kDataStep}) {
    if (count(needed) == 0) return fields.refuse("timeline", "lacks '" + std::string(needed) + "'");
  }
  return {};
}

Result<BootCheckStatement> read_boot_check(JsonFields& fields) {
  TRY_ASSIGN(const std::string type, fields.line("type"));
  if (type != kBootCheckType) {
    return fields.refuse("type", "'" + type + "' is not '" + std::string(kBootCheckType) + "'");
  }
  TRY_ASSIGN(const std::string name, fields.line("release"));
  TRY_ASSIGN_IN(ReleaseName release, ReleaseName::parse(name), "release");
  TRY_ASSIGN(const Digest digest, fields.digest("release_digest"));
  TRY_ASSIGN(const std::string checked, fields.line("checked_at"));
  TRY_ASSIGN_IN(const UtcTime checked_at, UtcTime::parse(checked), "checked_at");
  TRY_ASSIGN(std::string checker, fields.line("checker_version"));
  TRY_ASSIGN(std::string machine, fields.line("machine"));
  TRY_ASSIGN(std::string peer, fields.line("peer"));
  TRY_ASSIGN(JsonFields facts_field, fields.object("facts"));
  TRY_ASSIGN(AttestedFacts facts, read_facts(std::move(facts_field)));
  TRY_ASSIGN(JsonFields traffic_field, fields.object("traffic"));
  TRY_ASSIGN(const BootTraffic traffic, read_traffic(std::move(traffic_field)));
  TRY_ASSIGN(std::vector<BootStep> timeline, objects(fields, "timeline", &read_step, kMostSteps));
  TRY(check_timeline(fields, timeline));
  TRY(fields.finish());
  return BootCheckStatement{
      std::move(release), digest,           checked_at, std::move(checker), std::move(machine),
      std::move(peer),    std::move(facts), traffic,    std::move(timeline)};
}

ordered_json json_of(const AttestedFacts& facts) {
  ordered_json modules = ordered_json::array(), tools = ordered_json::array();
  for (const LoadedModule& module : facts.modules) {
    modules.push_back({{"name", module.name},
                       {"version", module.version},
                       {"srcversion", module.srcversion},
                       {"build_id", module.build_id}});
  }
  for (const ReleasePackage& tool : facts.tools) {
    tools.push_back(
        {{"name", tool.name}, {"version", tool.version}, {"architecture", tool.architecture}});
  }
  return {{"lock_digest", facts.lock_digest.string()},
          {"kernel_release", facts.kernel_release},
          {"kernel_build_id", facts.kernel_build_id},
          {"modules", modules},
          {"tools", tools}};
}

}  // namespace

Result<BootCheckStatement> parse_boot_check_statement(std::string_view text) {
  return parse_canonical(text, "boot-check statement", read_boot_check);
}

std::string print(const BootCheckStatement& statement) {
  ordered_json timeline = ordered_json::array();
  for (const BootStep& step : statement.timeline) {
    timeline.push_back({{"step", step.name}, {"ms", step.milliseconds}});
  }
  const BootTraffic& traffic = statement.traffic;
  const ordered_json document = {{"type", kBootCheckType},
                                 {"release", statement.release.string()},
                                 {"release_digest", statement.release_digest.string()},
                                 {"checked_at", statement.checked_at.string()},
                                 {"checker_version", statement.checker_version},
                                 {"machine", statement.machine},
                                 {"peer", statement.peer},
                                 {"facts", json_of(statement.facts)},
                                 {"traffic",
                                  {{"sent", traffic.sent},
                                   {"received", traffic.received},
                                   {"peer_tx_bytes", traffic.peer_tx_bytes},
                                   {"peer_rx_bytes", traffic.peer_rx_bytes},
                                   {"node_tx_bytes", traffic.node_tx_bytes},
                                   {"node_rx_bytes", traffic.node_rx_bytes}}},
                                 {"timeline", timeline}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
