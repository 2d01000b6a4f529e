#include "deployer/node/service_states.h"

#include <algorithm>
#include <utility>

namespace weir::node {
namespace {

using manifests::ReadyBy;
using manifests::Restart;
using manifests::ServiceState;
using std::chrono::milliseconds;

constexpr milliseconds kRunsFor{1000};  ///< by then a program that cannot run has ended
constexpr milliseconds kProbeAgain{250};
constexpr milliseconds kFarewell{5000};  ///< from SIGTERM to SIGKILL

bool is_up(ServiceState state) {
  return state == ServiceState::ready || state == ServiceState::ended;
}

bool runs(ServiceState state) {
  return state == ServiceState::starting || state == ServiceState::ready ||
         state == ServiceState::stopping;
}

// How many bytes of UTF-8 stand at the beginning of `text` that a terminal may be shown; 0: none.
std::size_t shown_bytes(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  unsigned code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return 0;
    code = code << 6U | (at(i) & 0x3fU);
  }
  constexpr unsigned kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  // C1, what separates lines, what turns the direction of writing, what cannot be seen.
  const bool acts = code < 0xa0 || (code >= 0x200b && code <= 0x200f) ||
                    (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) ||
                    code == 0xfeff;
  return code < kLeast[size] || code > 0x10ffff || surrogate || acts ? 0 : size;
}

}  // namespace

std::string harmless_line(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    const std::size_t size = shown_bytes(line);
    const std::string_view piece = size == 0 ? "?" : line.substr(0, size);
    if (out.size() + piece.size() > manifests::kLongestLine) break;
    out += line.front() == '\t' ? " " : piece;
    line.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string describe_end(ProcessEnd end) {
  return (end.by_signal ? "ended by signal " : "ended with status ") + std::to_string(end.number);
}

ServiceStates::ServiceStates(std::vector<manifests::ServiceSettings> settings)
    : settings_(std::move(settings)), courses_(settings_.size()) {
  for (const auto& each : settings_) {
    records_.push_back({.name = each.name, .waits_for = "the network"});
  }
}

void ServiceStates::enter(std::size_t service, ServiceState state, Time now) {
  records_[service].state = state;
  records_[service].since = now;
  records_[service].waits_for.clear();
}

void ServiceStates::network_is_up(Time) {
  network_ = true;
}

void ServiceStates::files_seen(std::size_t service, FilesSeen seen, Time) {
  courses_[service].files = std::move(seen);
}

void ServiceStates::started(std::size_t service, pid_t pid, Time now) {
  Course& course = courses_[service];
  enter(service, ServiceState::starting, now);
  records_[service].pid = pid;
  if (course.ran_before) ++records_[service].restarts;
  course.ran_before = true;
  course.ending = Ending::none;
  course.probing = course.killed = false;
  course.started = course.next_probe = now;
  course.deadline = now + settings_[service].ready.within;
  course.started_with = course.files;
}

void ServiceStates::not_started(std::size_t service, std::string_view why, Time now) {
  enter(service, ServiceState::backing_off, now);
  records_[service].reason = why;
  courses_[service].retry = now + courses_[service].policy.delay_after(milliseconds(0));
}

void ServiceStates::ended(std::size_t service, ProcessEnd end, Time now) {
  Course& course = courses_[service];
  manifests::ServiceRecord& record = records_[service];
  const Restart restart = settings_[service].restart;
  record.pid = 0;
  bool failed = end.by_signal || end.number != 0;
  const Ending ending = std::exchange(course.ending, Ending::none);
  if (ending == Ending::not_ready) {
    failed = true;
    record.reason =
        "not ready within " + std::to_string(settings_[service].ready.within.count() / 1000) + " s";
    if (!course.probe_words.empty()) record.reason += ": " + course.probe_words;
  } else if (ending == Ending::new_files) {
    record.reason = "a file of the node's was replaced";
  } else {
    record.reason = describe_end(end);
  }
  if (halting_) {
    enter(service, ServiceState::ended, now);
  } else if (ending == Ending::new_files) {
    enter(service, ServiceState::waiting, now);
  } else if (restart == Restart::always || (restart == Restart::on_failure && failed)) {
    enter(service, ServiceState::backing_off, now);
    course.retry = now + course.policy.delay_after(now - course.started);
  } else {
    enter(service, failed ? ServiceState::failed : ServiceState::ended, now);
  }
}

void ServiceStates::said(std::size_t service, std::string_view line, Time now) {
  auto& lines = records_[service].last_lines;
  lines.push_back(harmless_line(line));
  if (lines.size() > manifests::kLinesKept) lines.pop_front();
  const manifests::Readiness& ready = settings_[service].ready;
  if (records_[service].state == ServiceState::starting && ready.by == ReadyBy::log &&
      line.find(ready.text) != std::string_view::npos) {
    enter(service, ServiceState::ready, now);
  }
}

void ServiceStates::probed(std::size_t service, bool ready, Time now, std::string_view words) {
  Course& course = courses_[service];
  course.probe_words = harmless_line(words);
  course.probing = false;
  course.next_probe = now + kProbeAgain;
  if (ready && records_[service].state == ServiceState::starting) {
    enter(service, ServiceState::ready, now);
  }
}

void ServiceStates::halt(Time) {
  halting_ = true;
}

std::string ServiceStates::waits_for(std::size_t service) const {
  if (!network_) return "the network";
  if (!courses_[service].files.missing.empty()) return "file " + courses_[service].files.missing;
  for (const std::string& name : settings_[service].after) {
    const auto other = std::find_if(records_.begin(), records_.end(),
                                    [&](const auto& it) { return it.name == name; });
    if (other != records_.end() && !is_up(other->state)) return "service " + name;
  }
  return {};
}

void ServiceStates::stop(std::size_t service, Ending why, Time now,
                         std::vector<ServiceAction>& out) {
  enter(service, ServiceState::stopping, now);
  courses_[service].ending = why;
  courses_[service].kill = now + kFarewell;
  out.push_back(EndService{service, Farewell::ask});
}

void ServiceStates::look_at_start(std::size_t service, Time now, std::vector<ServiceAction>& out) {
  Course& course = courses_[service];
  const ReadyBy by = settings_[service].ready.by;
  if (by == ReadyBy::started) {
    if (now >= course.started + kRunsFor) enter(service, ServiceState::ready, now);
    return;
  }
  if (now >= course.deadline) return stop(service, Ending::not_ready, now, out);
  if (by == ReadyBy::log || course.probing || now < course.next_probe) return;
  course.probing = true;
  out.push_back(ProbeService{service});
}

std::vector<ServiceAction> ServiceStates::due(Time now) {
  std::vector<ServiceAction> out;
  for (std::size_t i = 0; i < size(); ++i) {
    manifests::ServiceRecord& record = records_[i];
    Course& course = courses_[i];
    if (runs(record.state) && record.state != ServiceState::stopping) {
      if (halting_) {
        stop(i, Ending::halt, now, out);
        continue;
      }
      if (course.files.missing.empty() && course.files.version != course.started_with.version) {
        stop(i, Ending::new_files, now, out);
        continue;
      }
    }
    switch (record.state) {
      case ServiceState::backing_off:
        if (now >= course.retry && !halting_) enter(i, ServiceState::waiting, now);
        break;
      case ServiceState::starting:
        look_at_start(i, now, out);
        break;
      case ServiceState::stopping:
        if (now < course.kill || course.killed) break;
        course.killed = true;
        out.push_back(EndService{i, Farewell::end});
        break;
      case ServiceState::waiting:
      case ServiceState::ready:
      case ServiceState::failed:
      case ServiceState::ended:
        break;
    }
  }
  // Last, since others may just have become ready.
  for (std::size_t i = 0; i < size() && !halting_; ++i) {
    if (records_[i].state != ServiceState::waiting) continue;
    records_[i].waits_for = waits_for(i);
    if (records_[i].waits_for.empty()) out.push_back(StartService{i});
  }
  return out;
}

std::optional<ServiceStates::Time> ServiceStates::next_due() const {
  std::optional<Time> out;
  const auto at = [&out](Time time) { out = out ? std::min(*out, time) : time; };
  for (std::size_t i = 0; i < size(); ++i) {
    const Course& course = courses_[i];
    switch (records_[i].state) {
      case ServiceState::backing_off:
        if (!halting_) at(course.retry);
        break;
      case ServiceState::starting:
        if (settings_[i].ready.by == ReadyBy::started) {
          at(course.started + kRunsFor);
          break;
        }
        at(course.deadline);
        if (settings_[i].ready.by != ReadyBy::log && !course.probing) at(course.next_probe);
        break;
      case ServiceState::stopping:
        if (!course.killed) at(course.kill);
        break;
      case ServiceState::waiting:
      case ServiceState::ready:
      case ServiceState::failed:
      case ServiceState::ended:
        break;
    }
  }
  return out;
}

std::optional<std::size_t> ServiceStates::service_of(pid_t pid) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (pid > 0 && records_[i].pid == pid) return i;
  }
  return std::nullopt;
}

}  // namespace weir::node
