#include "deployer/rollout/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "deployer/judge/cohorts.h"

namespace weir::deployer {
namespace {

std::string seconds(Instant time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f s", static_cast<double>(time.count()) / 1000);
  return text.data();
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

bool is_revoked(const ClientReport& client) {
  return client.why && client.why->code == Code::revoked;
}

std::string result_of(const ClientReport& client) {
  if (client.moved) return "moved";
  return is_revoked(client) ? "revoked" : "stayed";
}

judge::CohortTable cohorts_of(const Report& report) {
  std::vector<judge::Subject> subjects;
  for (const ClientReport& client : report.clients) {
    if (is_revoked(client)) continue;
    subjects.push_back({client.labels, client.moved || !client.counted});
  }
  return judge::tabulate(subjects);
}

}  // namespace

int exit_code(Outcome outcome) {
  switch (outcome) {
    case Outcome::done:
      return 0;
    case Outcome::rolled_back:
      return 3;
    case Outcome::needs_person:
      return 4;
    case Outcome::none:
    case Outcome::failed:
      return 1;
  }
  return 1;
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::none:
      return "none";
    case Outcome::done:
      return "done";
    case Outcome::failed:
      return "failed";
    case Outcome::rolled_back:
      return "rolled back";
    case Outcome::needs_person:
      return "needs a person";
  }
  return "none";
}

std::string_view name_of(Proof proof) {
  switch (proof) {
    case Proof::unneeded:
      return "unneeded";
    case Proof::nothing:
      return "nothing";
    case Proof::probe:
      return "probe";
    case Proof::clients:
      return "clients";
  }
  return "nothing";
}

Report report_of(const Plan& plan, const State& state, Instant took) {
  const Rollout& rollout = state.rollout;
  Report out;
  out.order = name_of(plan.kind);
  if (plan.release) out.release = plan.release->name.string();
  if (plan.from_pool) out.from_pool = plan.from_pool->string();
  out.to_pool = plan.to_pool.string();
  out.outcome = rollout.outcome;
  out.phase = rollout.phase;
  out.refusal = rollout.refusal;
  out.proof = rollout.proof;
  out.took = took;
  out.moving_began = rollout.moving_began;
  out.warnings = rollout.warnings;
  for (const auto& [node, fed] : rollout.fed) {
    if (!fed.error && fed.added.empty() && fed.changed.empty() && fed.removed.empty()) continue;
    out.nodes.push_back({node, fed.added.size(), fed.changed.size(), fed.removed.size(),
                         fed.error ? fed.error->message : std::string()});
  }
  for (const Client& client : state.movement) {
    const auto* moved = std::get_if<stage::Moved>(&client.stage);
    const auto peer = plan.peers.find(client.key);
    const bool lost = client.way == Way::rescue && moved == nullptr;
    const Instant moved_at = moved != nullptr ? moved->at : Instant{0};
    out.clients.push_back(
        {shown(plan, client.key), client.key,
         peer == plan.peers.end() ? std::map<std::string, std::string>() : peer->second.labels,
         moved != nullptr || lost ? client.to : client.from, moved != nullptr, client.counted,
         moved_at, client.why});
    out.last_moved = std::max(out.last_moved, moved_at);
  }
  std::sort(out.clients.begin(), out.clients.end(),
            [](const ClientReport& a, const ClientReport& b) { return a.name < b.name; });
  return out;
}

std::string print_text(const Report& report) {
  std::string out;
  std::size_t width = 6;
  std::size_t moved = 0;
  std::size_t active = 0;
  for (const ClientReport& client : report.clients) {
    width = std::max(width, client.name.size());
    moved += client.moved ? 1 : 0;
    active += is_revoked(client) ? 0 : 1;
  }
  if (!report.clients.empty())
    out += padded("client", width) + "  result  node        after     remark\n";
  for (const ClientReport& client : report.clients) {
    std::string labels;
    for (const auto& [label, value] : client.labels) labels += " " + label + "=" + value;
    out +=
        padded(client.name, width) + "  " + padded(result_of(client), 7) + " " +
        padded(client.node.string(), 10) + "  " +
        padded(client.moved && client.moved_at.count() != 0 ? seconds(client.moved_at) : "-", 8) +
        "  " + (client.why ? client.why->text : std::string()) +
        (client.moved || labels.empty() ? "" : " [" + labels.substr(1) + "]") + "\n";
  }
  const auto table = cohorts_of(report);
  for (const judge::Cohort& cohort : table.suspicious()) {
    out += "cohort " + cohort.label + "=" + cohort.value + ": " + std::to_string(cohort.failed) +
           " of " + std::to_string(cohort.failed + cohort.prepared) + " stayed\n";
  }
  for (const NodeReport& node : report.nodes) {
    if (!node.error.empty()) continue;  // a warning says so
    out += "peers of " + node.node.string() + ": " + std::to_string(node.added) + " added, " +
           std::to_string(node.changed) + " changed, " + std::to_string(node.removed) +
           " removed\n";
  }
  for (const Reason& warning : report.warnings) out += "warning: " + warning.text + "\n";
  if (report.outcome == Outcome::done && report.proof == Proof::nothing) {
    out += "nothing was proved: no client was active" +
           std::string(report.order == "rollback" ? "" : ", and no probe went through") + "\n";
  }
  out += report.order + (report.release.empty() ? "" : " of " + report.release) + ": " +
         std::string(name_of(report.outcome));
  if (!report.clients.empty()) {
    out += "; " + std::to_string(moved) + " of " + std::to_string(active) +
           " active clients are on pool " + report.to_pool;
    if (report.last_moved.count() != 0) {
      out += ", the last one " + seconds(report.last_moved) + " after the order";
      if (report.moving_began.count() > 1000) {
        out += " and " + seconds(report.last_moved - report.moving_began) +
               " after the first was touched";
      }
    }
  }
  out += "\n";
  return out;
}

std::string print_json(const Report& report) {
  nlohmann::ordered_json out;
  out["order"] = report.order;
  if (!report.release.empty()) out["release"] = report.release;
  out["from_pool"] = report.from_pool;
  out["to_pool"] = report.to_pool;
  out["outcome"] = name_of(report.outcome);
  out["phase"] = name_of(report.phase);
  out["exit_code"] = exit_code(report.outcome);
  if (report.refusal) {
    out["error"] = report.refusal->text;
    out["code"] = name_of(report.refusal->code);
  }
  if (!report.error_code.empty()) out["error_code"] = report.error_code;
  out["proved"] = name_of(report.proof);
  out["took_ms"] = report.took.count();
  out["moving_began_ms"] = report.moving_began.count();
  out["last_moved_ms"] = report.last_moved.count();
  out["moved"] = nlohmann::ordered_json::array();
  out["stayed"] = nlohmann::ordered_json::array();
  out["revoked"] = nlohmann::ordered_json::array();
  for (const ClientReport& client : report.clients) {
    nlohmann::ordered_json line;
    line["name"] = client.name;
    line["public_key"] = client.key.string();
    line["node"] = client.node.string();
    if (client.moved) line["moved_ms"] = client.moved_at.count();
    if (client.why) {
      line["reason"] = client.why->text;
      line["code"] = name_of(client.why->code);
    }
    if (!client.labels.empty()) line["labels"] = client.labels;
    out[result_of(client)].push_back(std::move(line));
  }
  out["cohorts"] = nlohmann::ordered_json::array();
  for (const judge::Cohort& cohort : cohorts_of(report).cohorts) {
    out["cohorts"].push_back({{"label", cohort.label},
                              {"value", cohort.value},
                              {"prepared", cohort.prepared},
                              {"failed", cohort.failed}});
  }
  out["nodes"] = nlohmann::ordered_json::array();
  for (const NodeReport& node : report.nodes) {
    out["nodes"].push_back({{"node", node.node.string()},
                            {"added", node.added},
                            {"changed", node.changed},
                            {"removed", node.removed},
                            {"error", node.error}});
  }
  out["warnings"] = nlohmann::ordered_json::array();
  for (const Reason& warning : report.warnings) out["warnings"].push_back(warning.text);
  return out.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weir::deployer
