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

judge::CohortTable cohorts_of(const Report& report) {
  std::vector<judge::Subject> subjects;
  for (const ClientReport& client : report.clients) {
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
    default:
      return 1;
  }
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

Report report_of(const Plan& plan, const State& state, Instant took) {
  Report out;
  out.order = name_of(plan.kind);
  if (plan.release) out.release = plan.release->name.string();
  out.from_pool = plan.from_pool.string();
  out.to_pool = plan.to_pool.string();
  out.outcome = state.outcome;
  out.phase = state.phase;
  if (state.error) out.error = state.error->message;
  out.took = took;
  out.moving_began = state.moving_began;
  out.warnings = state.warnings;
  for (const auto& [key, client] : state.clients) {
    const bool moved = client.stage == Stage::moved;
    const auto peer = plan.peers.find(key);
    const bool lost = client.rescue && !moved;
    out.clients.push_back(
        {shown(plan, key), key,
         peer == plan.peers.end() ? std::map<std::string, std::string>() : peer->second.labels,
         moved || lost ? client.to : client.from, moved, client.counted, client.moved_at,
         client.why});
    if (moved) out.last_moved = std::max(out.last_moved, client.moved_at);
  }
  std::sort(out.clients.begin(), out.clients.end(),
            [](const ClientReport& a, const ClientReport& b) { return a.name < b.name; });
  return out;
}

std::string print_text(const Report& report) {
  std::string out;
  std::size_t width = 6;
  std::size_t moved = 0;
  for (const ClientReport& client : report.clients) {
    width = std::max(width, client.name.size());
    moved += client.moved ? 1 : 0;
  }
  if (!report.clients.empty())
    out += padded("client", width) + "  result  node        after     remark\n";
  for (const ClientReport& client : report.clients) {
    std::string labels;
    for (const auto& [label, value] : client.labels) labels += " " + label + "=" + value;
    out +=
        padded(client.name, width) + "  " + (client.moved ? "moved   " : "stayed  ") +
        padded(client.node.string(), 10) + "  " +
        padded(client.moved && client.moved_at.count() != 0 ? seconds(client.moved_at) : "-", 8) +
        "  " + client.why + (client.moved || labels.empty() ? "" : " [" + labels.substr(1) + "]") +
        "\n";
  }
  const auto table = cohorts_of(report);
  for (const judge::Cohort& cohort : table.suspicious()) {
    out += "cohort " + cohort.label + "=" + cohort.value + ": " + std::to_string(cohort.failed) +
           " of " + std::to_string(cohort.failed + cohort.prepared) + " stayed\n";
  }
  for (const std::string& warning : report.warnings) out += "warning: " + warning + "\n";
  out += report.order + (report.release.empty() ? "" : " of " + report.release) + ": " +
         std::string(name_of(report.outcome));
  if (!report.clients.empty()) {
    out += "; " + std::to_string(moved) + " of " + std::to_string(report.clients.size()) +
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
  if (!report.error.empty()) out += report.order + ": " + report.error + "\n";
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
  if (!report.error.empty()) out["error"] = report.error;
  out["took_ms"] = report.took.count();
  out["moving_began_ms"] = report.moving_began.count();
  out["last_moved_ms"] = report.last_moved.count();
  out["moved"] = nlohmann::ordered_json::array();
  out["stayed"] = nlohmann::ordered_json::array();
  for (const ClientReport& client : report.clients) {
    nlohmann::ordered_json line;
    line["name"] = client.name;
    line["public_key"] = client.key.string();
    line["node"] = client.node.string();
    if (client.moved) line["moved_ms"] = client.moved_at.count();
    if (!client.why.empty()) line["reason"] = client.why;
    if (!client.labels.empty()) line["labels"] = client.labels;
    out[client.moved ? "moved" : "stayed"].push_back(std::move(line));
  }
  out["cohorts"] = nlohmann::ordered_json::array();
  for (const judge::Cohort& cohort : cohorts_of(report).cohorts) {
    out["cohorts"].push_back({{"label", cohort.label},
                              {"value", cohort.value},
                              {"prepared", cohort.prepared},
                              {"failed", cohort.failed}});
  }
  out["warnings"] = report.warnings;
  return out.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weir::deployer
