#include "tests/lab/report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace weir::lab {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;

double milliseconds_of(std::int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

std::string decimal(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string in_seconds(std::int64_t ns) {
  return decimal(static_cast<double>(ns) / 1e9, 2) + " s";
}
std::string millis(std::int64_t ns) {
  return decimal(milliseconds_of(ns), 0) + " ms";
}

/// Columns as wide as their widest cell; the first one to the left, the others to the right.
std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      line += i == 0 ? row[i] + space : "  " + space + row[i];
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  return out;
}

const StreamLog* stream_of(const TrafficLog& traffic, const std::string& flow) {
  for (const StreamLog& stream : traffic.streams) {
    if (stream.flow == flow) return &stream;
  }
  return nullptr;
}

/// When packets were lost, told by the order before: "7 at deploy +12.40 s".
std::string when_lost(const PingLog& log, const std::vector<Movement>& movements) {
  constexpr std::size_t kMost = 12;
  std::string out;
  const auto spans = loss_spans(log);
  for (std::size_t i = 0; i < std::min(kMost, spans.size()); ++i) {
    std::string after = "start";
    UnixNs since = log.samples.front().sent;
    for (const Movement& movement : movements) {
      if (movement.ordered > spans[i].from) break;
      after = movement.name;
      since = movement.ordered;
    }
    out += (i == 0 ? "" : ", ") + std::to_string(spans[i].packets) + " at " + after + " +" +
           in_seconds(spans[i].from - since);
  }
  return spans.size() > kMost ? out + ", ..." : out;
}

/// The movements' names, each once, in the order of their first time.
std::vector<std::string> names_of(const std::vector<Movement>& movements) {
  std::vector<std::string> out;
  for (const Movement& movement : movements) {
    if (std::find(out.begin(), out.end(), movement.name) == out.end()) out.push_back(movement.name);
  }
  return out;
}

template <class Measure>
std::int64_t worst(const std::vector<Movement>& movements, const std::string& name,
                   Measure measure) {
  std::int64_t out = 0;
  for (const Movement& movement : movements) {
    if (movement.name == name) out = std::max<std::int64_t>(out, measure(movement));
  }
  return out;
}

Window window_of(const Movement& movement) {
  return {movement.ordered, movement.watched_until};
}

}  // namespace

void see_moves(Movement& movement, const std::map<std::string, IpAddress>& clients,
               const std::map<IpAddress, std::vector<Passage>>& passages,
               const std::vector<std::string>& interfaces) {
  movement.first_moved = movement.last_moved = 0;
  movement.not_moved.clear();
  for (const auto& [name, address] : clients) {
    const auto seen = passages.find(address);
    const UnixNs at =
        seen == passages.end() ? 0 : arrived(seen->second, interfaces, window_of(movement));
    if (at == 0) {
      movement.not_moved.push_back(name);
      continue;
    }
    if (movement.first_moved == 0 || at < movement.first_moved) movement.first_moved = at;
    movement.last_moved = std::max(movement.last_moved, at);
  }
}

std::vector<std::string> verdicts(const Report& report) {
  std::vector<std::string> out = report.failures;
  for (const PingLog& log : report.traffic.pings) {
    if (log.samples.empty()) out.push_back(log.flow + ": no packet was sent");
    if (lost(log) > 0) {
      out.push_back(log.flow + ": " + std::to_string(lost(log)) + " of " +
                    std::to_string(sent(log)) + " packets lost (" +
                    when_lost(log, report.movements) + ")");
    }
  }
  for (const StreamLog& log : report.traffic.streams) {
    if (log.resets > 0) out.push_back(log.flow + ": " + std::to_string(log.resets) + " TCP resets");
    if (log.mismatched > 0) {
      out.push_back(log.flow + ": " + std::to_string(log.mismatched) + " bytes came back changed");
    }
    if (log.bytes_sent == 0 || log.bytes_echoed != log.bytes_sent) {
      out.push_back(log.flow + ": " + std::to_string(log.bytes_echoed) + " of " +
                    std::to_string(log.bytes_sent) + " bytes came back");
    }
  }
  for (const Movement& movement : report.movements) {
    for (const std::string& client : movement.not_moved) {
      out.push_back(movement.name + ": client " + client + " is not on the new pool");
    }
  }
  return out;
}

std::string print_table(const Report& report) {
  std::vector<Row> rows;
  const std::vector<std::string> names = names_of(report.movements);
  Row head = {"client > target", "packets", "lost"};
  for (const std::string& name : names) head.push_back("silent: " + name);
  head.insert(head.end(), {"TCP bytes", "resets", "retransmitted"});
  rows.push_back(head);
  std::uint64_t all = 0, all_lost = 0;
  for (const PingLog& log : report.traffic.pings) {
    all += sent(log);
    all_lost += lost(log);
    Row row = {log.flow, std::to_string(sent(log)), std::to_string(lost(log))};
    for (const std::string& name : names) {
      row.push_back(millis(worst(report.movements, name, [&](const Movement& movement) {
        return longest_silence_ns(log.samples, window_of(movement));
      })));
    }
    if (const StreamLog* stream = stream_of(report.traffic, log.flow)) {
      row.insert(row.end(), {std::to_string(stream->bytes_echoed), std::to_string(stream->resets),
                             std::to_string(stream->retransmissions)});
    }
    rows.push_back(row);
  }
  rows.push_back({"all", std::to_string(all), std::to_string(all_lost)});
  std::string out = aligned(rows);
  out +=
      "\n(silent: longest time without a reply, at 20 ms between packets. control is never "
      "moved.)\n\n";

  rows = {{"movement", "times", "order to last client moved", "first to last client", "command"}};
  for (const std::string& name : names) {
    std::size_t times = 0, incomplete = 0;
    for (const Movement& movement : report.movements) {
      if (movement.name != name) continue;
      ++times;
      if (!movement.not_moved.empty() || movement.last_moved == 0) ++incomplete;
    }
    const auto longest = [&](UnixNs Movement::*from, UnixNs Movement::*to) {
      return in_seconds(worst(report.movements, name, [&](const Movement& movement) {
        return movement.*to - movement.*from;
      }));
    };
    rows.push_back(
        {name, std::to_string(times),
         incomplete == 0 ? longest(&Movement::ordered, &Movement::last_moved) : "not all moved",
         incomplete == 0 ? longest(&Movement::first_moved, &Movement::last_moved) : "",
         longest(&Movement::ordered, &Movement::ended)});
  }
  out += aligned(rows);
  if (report.movements.size() > names.size())
    out += "\n(where a movement was made several times: the worst)\n";
  return out;
}

std::string print_json(const Report& report) {
  Json flows = Json::array();
  for (const PingLog& log : report.traffic.pings) {
    Json silences = Json::array();  // one for each of `movements`
    for (const Movement& movement : report.movements) {
      silences.push_back(milliseconds_of(longest_silence_ns(log.samples, window_of(movement))));
    }
    Json flow = {
        {"flow", log.flow},  {"client", log.client},         {"packets", sent(log)},
        {"lost", lost(log)}, {"duplicates", log.duplicates}, {"longest_silence_ms", silences}};
    if (const StreamLog* stream = stream_of(report.traffic, log.flow)) {
      flow["tcp"] = {{"bytes_sent", stream->bytes_sent},
                     {"bytes_echoed", stream->bytes_echoed},
                     {"resets", stream->resets},
                     {"retransmissions", stream->retransmissions}};
    }
    flows.push_back(flow);
  }
  Json movements = Json::array();
  for (const Movement& movement : report.movements) {
    movements.push_back(
        {{"name", movement.name},
         {"order_to_last_moved_ms", milliseconds_of(movement.last_moved - movement.ordered)},
         {"first_to_last_moved_ms", milliseconds_of(movement.last_moved - movement.first_moved)},
         {"command_ms", milliseconds_of(movement.ended - movement.ordered)},
         {"not_moved", movement.not_moved}});
  }
  const auto failures = verdicts(report);
  return Json{{"ok", failures.empty()},
              {"flows", flows},
              {"movements", movements},
              {"failures", failures}}
             .dump(2) +
         "\n";
}

}  // namespace weir::lab
