#include "manifests/messages/service_settings.h"

#include <charconv>
#include <utility>

namespace weir::manifests {
namespace {

// A line is a key, a blank and a value; "service NAME" begins the next one.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool next() {
    if (text_.empty()) return false;
    const auto end = std::min(text_.find('\n'), text_.size());
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    ++number_;
    const auto blank = line.find(' ');
    key = line.substr(0, blank);
    value = blank == std::string_view::npos ? "" : line.substr(blank + 1);
    return true;
  }

  [[nodiscard]] tl::unexpected<Error> wrong() const {
    return fail(Errc::invalid_input, "line " + std::to_string(number_) + " is not understood");
  }

  // What stands before the next blank of the value.
  std::string_view word() {
    const auto blank = value.find(' ');
    const std::string_view out = value.substr(0, blank);
    value = blank == std::string_view::npos ? "" : value.substr(blank + 1);
    return out;
  }

  template <class Number>
  Result<Number> number() {
    const std::string_view text = word();
    Number out{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || rest != text.data() + text.size() || text.empty()) return wrong();
    return out;
  }

  template <class T, std::size_t size>
  Result<T> named(const std::array<std::string_view, size>& names, std::string_view name) {
    const auto place = place_of_name(names, name);
    if (!place) return wrong();
    return static_cast<T>(*place);
  }

  std::string_view key, value;

 private:
  std::string_view text_;
  int number_ = 0;
};

template <std::size_t size, class T>
std::string name_in(const std::array<std::string_view, size>& names, T value) {
  return std::string(names[static_cast<std::size_t>(value)]);
}

Status read_ready(Lines& lines, Readiness& out) {
  TRY_ASSIGN(const auto within, lines.number<std::int64_t>());
  out.within = std::chrono::milliseconds(within);
  TRY_ASSIGN(out.by, lines.named<ReadyBy>(kReadyNames, lines.word()));
  out.text = lines.value;
  return {};
}

Status read_setting(Lines& lines, ServiceSettings& out) {
  if (lines.key == "word") {
    out.command.emplace_back(lines.value);
  } else if (lines.key == "variable") {
    const auto equals = lines.value.find('=');
    if (equals == std::string_view::npos) return lines.wrong();
    out.environment.emplace(lines.value.substr(0, equals), lines.value.substr(equals + 1));
  } else if (lines.key == "user") {
    TRY_ASSIGN(out.user_id, lines.number<std::uint32_t>());
    TRY_ASSIGN(out.group_id, lines.number<std::uint32_t>());
  } else if (lines.key == "group") {
    TRY_ASSIGN(const auto group, lines.number<std::uint32_t>());
    out.groups.push_back(group);
  } else if (lines.key == "restart") {
    TRY_ASSIGN(out.restart, lines.named<Restart>(kRestartNames, lines.value));
  } else if (lines.key == "ready") {
    return read_ready(lines, out.ready);
  } else if (lines.key == "ready-word") {
    out.ready.command.emplace_back(lines.value);
  } else if (lines.key == "after") {
    out.after.emplace_back(lines.value);
  } else if (lines.key == "capabilities") {
    TRY_ASSIGN(out.capabilities, lines.number<std::uint64_t>());
  } else if (lines.key == "file") {
    NodeFilePlace file;
    TRY_ASSIGN(file.user_id, lines.number<std::uint32_t>());
    TRY_ASSIGN(file.group_id, lines.number<std::uint32_t>());
    TRY_ASSIGN(file.mode, lines.number<std::uint32_t>());
    file.name = lines.value;
    out.files.push_back(std::move(file));
  } else if (lines.key == "runtime-folder") {
    out.runtime_folders.emplace_back(lines.value);
  } else if (lines.key == "open" || lines.key == "asks") {
    OpenPort port{.asked = lines.key == "asks"};
    const std::string_view protocol = lines.word();
    if (protocol != "tcp" && protocol != "udp") return lines.wrong();
    port.tcp = protocol == "tcp";
    TRY_ASSIGN(port.port, lines.number<std::uint16_t>());
    out.open.push_back(port);
  } else {
    return lines.wrong();
  }
  return {};
}

Status read_fact(Lines& lines, ServiceRecord& out) {
  if (lines.key == "state") {
    TRY_ASSIGN(out.state, lines.named<ServiceState>(kServiceStateNames, lines.value));
  } else if (lines.key == "waits-for") {
    out.waits_for = lines.value;
  } else if (lines.key == "since") {
    TRY_ASSIGN(const auto since, lines.number<std::int64_t>());
    out.since = std::chrono::milliseconds(since);
  } else if (lines.key == "restarts") {
    TRY_ASSIGN(out.restarts, lines.number<std::uint64_t>());
  } else if (lines.key == "pid") {
    TRY_ASSIGN(out.pid, lines.number<std::int64_t>());
  } else if (lines.key == "reason") {
    out.reason = lines.value;
  } else if (lines.key == "line") {
    out.last_lines.emplace_back(lines.value);
  } else {
    return lines.wrong();
  }
  return {};
}

template <class T>
Result<std::vector<T>> read_all(std::string_view text, Status (*read)(Lines&, T&)) {
  std::vector<T> out;
  Lines lines(text);
  while (lines.next()) {
    if (lines.key == "service") {
      out.push_back(T{.name = std::string(lines.value)});
    } else if (out.empty()) {
      return lines.wrong();
    } else {
      TRY(read(lines, out.back()));
    }
  }
  return out;
}

void add(std::string& out, const char* key, std::string_view value) {
  out.append(key).append(" ").append(value).append("\n");
}

}  // namespace

std::string path_of(const std::string& service, const NodeFilePlace& file) {
  return std::string(kNodeFilesFolder) + "/" + service + "/" + file.name;
}

std::string_view name_of(ServiceState state) {
  return kServiceStateNames[static_cast<std::size_t>(state)];
}

std::string print(const std::vector<ServiceSettings>& services) {
  std::string out;
  for (const ServiceSettings& service : services) {
    add(out, "service", service.name);
    for (const auto& word : service.command) add(out, "word", word);
    for (const auto& [name, value] : service.environment) add(out, "variable", name + "=" + value);
    add(out, "user", std::to_string(service.user_id) + " " + std::to_string(service.group_id));
    for (const auto group : service.groups) add(out, "group", std::to_string(group));
    add(out, "restart", name_in(kRestartNames, service.restart));
    add(out, "ready",
        std::to_string(service.ready.within.count()) + " " +
            name_in(kReadyNames, service.ready.by) + " " + service.ready.text);
    for (const auto& word : service.ready.command) add(out, "ready-word", word);
    for (const auto& other : service.after) add(out, "after", other);
    if (service.capabilities) add(out, "capabilities", std::to_string(*service.capabilities));
    for (const auto& file : service.files) {
      add(out, "file",
          std::to_string(file.user_id) + " " + std::to_string(file.group_id) + " " +
              std::to_string(file.mode) + " " + file.name);
    }
    for (const auto& folder : service.runtime_folders) add(out, "runtime-folder", folder);
    for (const auto& port : service.open) {
      add(out, port.asked ? "asks" : "open",
          (port.tcp ? "tcp " : "udp ") + std::to_string(port.port));
    }
  }
  return out;
}

Result<std::vector<ServiceSettings>> parse_service_settings(std::string_view text) {
  return read_all<ServiceSettings>(text, &read_setting);
}

std::string print(const std::vector<ServiceRecord>& records) {
  std::string out;
  for (const ServiceRecord& record : records) {
    add(out, "service", record.name);
    add(out, "state", name_of(record.state));
    if (!record.waits_for.empty()) add(out, "waits-for", record.waits_for);
    add(out, "since", std::to_string(record.since.count()));
    add(out, "restarts", std::to_string(record.restarts));
    add(out, "pid", std::to_string(record.pid));
    if (!record.reason.empty()) add(out, "reason", record.reason);
    for (const auto& line : record.last_lines) add(out, "line", line);
  }
  return out;
}

Result<std::vector<ServiceRecord>> parse_service_records(std::string_view text) {
  return read_all<ServiceRecord>(text, &read_fact);
}

}  // namespace weir::manifests
