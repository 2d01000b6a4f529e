#include "manifests/documents/image_service.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "manifests/base/ascii.h"
#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/printable.h"
#include "manifests/base/yaml_document.h"
#include "manifests/documents/accepted_entries.h"

namespace weir::manifests {
namespace {

constexpr std::size_t kMostWords = 256;
// MAX_ARG_STRLEN of execve(2), which counts the NUL (linux/binfmts.h). All words and variables
// together may be 2 MiB, a quarter of the stack, and no manifest is larger than a MiB.
constexpr std::size_t kLongestWord = (128U << 10) - 1;
constexpr std::chrono::milliseconds kShortestWait{1000}, kLongestWait{600000};

bool is_user(std::string_view text) {
  return text == "root" || is_user_name(text);
}

bool is_file_name(std::string_view text) {
  return check_name(text).has_value();
}

// Those of Weir's own are not for services.
bool is_runtime_folder(std::string_view text) {
  return check_name(text).has_value() && text != "weir" && text != "weir-files";
}

bool is_variable(std::string_view text) {
  return !text.empty() && !is_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
         });
}

using Members = std::vector<std::pair<std::string, YamlField>>;

Result<Members> members_of(const YamlField& field, std::string_view shape) {
  TRY_ASSIGN(auto out, field.members(shape));
  if (out.empty()) return field.wrong("is empty: leave it out");
  return out;
}

Status fits_execve(const YamlField& field, std::size_t size) {
  if (size <= kLongestWord) return {};
  return field.wrong("has " + std::to_string(size) + " bytes: Linux starts no program with more " +
                     "than " + std::to_string(kLongestWord) + " in one argument or variable");
}

template <class T, std::size_t size>
Result<T> named(const YamlField& field, const std::array<std::string_view, size>& names) {
  TRY_ASSIGN(const std::string text, field.text());
  if (const auto place = place_of_name(names, text)) return static_cast<T>(*place);
  std::string all;
  for (std::size_t i = 0; i < size; ++i) {
    all += (i == 0 ? "" : i + 1 == size ? " or " : ", ") + std::string(names[i]);
  }
  return field.wrong(quotation(text) + " is not " + all);
}

// A program and its arguments.
Result<std::vector<std::string>> parse_command(const YamlField& field) {
  TRY_ASSIGN(const auto items, field.items());
  if (items.empty()) return field.wrong("needs a program: [/usr/sbin/x, argument, ...]");
  if (items.size() > kMostWords) return field.wrong("more than 256 words");
  std::vector<std::string> out;
  for (const YamlField& item : items) {
    TRY_ASSIGN(auto word, out.empty() ? item.text_if(is_image_path, kImagePath) : item.word());
    TRY(fits_execve(item, word.size()));
    out.push_back(std::move(word));
  }
  return out;
}

// Loopback, or the unspecified address, at which Linux connects to itself.
bool has_every_node(const IpAddress& address) {
  const std::string_view raw = address.raw();
  const bool zeros =
      raw.substr(0, raw.size() - 1).find_first_not_of('\0') == std::string_view::npos;
  if (address.is_v6()) return zeros && (raw.back() == 0 || raw.back() == 1);
  return (zeros && raw.back() == 0) || (raw.front() == 127 && raw.substr(1) != "\xff\xff\xff");
}

// Which other addresses a node has, its fleet decides: a lock is for nodes of any.
Result<std::string> parse_own_endpoint(const YamlField& field) {
  TRY_ASSIGN(const Endpoint endpoint, field.as(Endpoint::parse));
  if (has_every_node(endpoint.address)) return endpoint.string();
  std::string what(endpoint.address.unusable());
  what = what.empty() ? "a node's own addresses come from its fleet, and no image knows this one"
                      : "no program can listen at " + what;
  return field.wrong(what +
                     ": write 127.0.0.1, [::1], or 0.0.0.0 or [::] for one that listens "
                     "at every address");
}

Result<Readiness> parse_ready(const YamlField& field) {
  Readiness out;
  if (!field.is_mapping()) {
    const auto text = field.text();
    if (text && *text == "started") return out;
    return field.wrong(
        "must be `started`, or one of {tcp: ADDRESS:PORT}, {file: PATH}, {log: TEXT} "
        "and {command: [PROGRAM, ...]}");
  }
  TRY(field.only({"tcp", "file", "log", "command", "within"}));
  std::size_t ways = 0;
  if (const auto tcp = field.find("tcp")) {
    TRY_ASSIGN(out.text, parse_own_endpoint(*tcp));
    out.by = ReadyBy::tcp;
    ++ways;
  }
  if (const auto file = field.find("file")) {
    TRY_ASSIGN(out.text, file->text_if(is_image_path, kImagePath));
    out.by = ReadyBy::file;
    ++ways;
  }
  if (const auto log = field.find("log")) {
    TRY_ASSIGN(out.text, log->word());
    out.by = ReadyBy::log;
    ++ways;
  }
  if (const auto command = field.find("command")) {
    TRY_ASSIGN(out.command, parse_command(*command));
    out.by = ReadyBy::command;
    ++ways;
  }
  if (ways != 1) return field.wrong("needs one of tcp, file, log and command");
  if (const auto within = field.find("within")) {
    TRY_ASSIGN(out.within, within->duration());
    if (out.within < kShortestWait || out.within > kLongestWait) {
      return within->wrong("must be from 1s to 10m");
    }
  }
  return out;
}

Status read_ports(const YamlField& service, bool asked, std::vector<OpenPort>& out) {
  const auto field = service.find(asked ? "asks" : "open");
  if (!field) return {};
  TRY_ASSIGN(const auto items, field->items());
  for (const YamlField& item : items) {
    TRY(item.only({"tcp", "udp"}));
    OpenPort port{.asked = asked};
    const auto tcp = item.find("tcp"), udp = item.find("udp");
    if (tcp.has_value() == udp.has_value()) return item.wrong("needs a port: one of tcp and udp");
    port.tcp = tcp.has_value();
    TRY_ASSIGN(const auto number, (tcp ? tcp : udp)->number(1, 65535));
    port.port = static_cast<std::uint16_t>(number);
    if (std::find(out.begin(), out.end(), port) != out.end()) {
      return item.wrong("the same as an entry above");
    }
    out.push_back(port);
  }
  return {};
}

Result<std::vector<std::string>> parse_capabilities(const YamlField& field) {
  TRY_ASSIGN(const auto items, field.items());
  std::vector<std::string> out;
  for (const YamlField& item : items) {
    TRY_ASSIGN(std::string name, item.text());
    if (!place_of_name(kCapabilityNames, name)) {
      return item.wrong(quotation(name) + " is not a capability such as CAP_NET_BIND_SERVICE");
    }
    if (std::find(out.begin(), out.end(), name) != out.end()) {
      return item.wrong(quotation(name) + " stands here twice");
    }
    out.push_back(std::move(name));
  }
  return out;
}

Result<ServiceFile> parse_file(const std::string& path, const YamlField& field) {
  if (!is_image_path(path)) {
    return field.wrong(quotation(path) + " is not " + std::string(kImagePath));
  }
  TRY(field.only({"text", "node", "owner", "mode"}));
  ServiceFile out{.path = path};
  const auto text = field.find("text"), node = field.find("node");
  if (text.has_value() == node.has_value()) {
    return field.wrong("needs its content: one of `text` and `node`, the name of a node's file");
  }
  if (text) {
    TRY_ASSIGN(out.text, text->lines());
  } else {
    TRY_ASSIGN(out.node, node->text_if(is_file_name, "a name of 1 to 63 of a-z, 0-9, `-` and `.`"));
    out.mode = 0400;
  }
  if (const auto owner = field.find("owner")) {
    TRY_ASSIGN(out.owner, owner->text_if(is_user, "a user's name"));
  }
  if (const auto mode = field.find("mode")) {
    TRY_ASSIGN(out.mode, parse_mode(*mode, 0777));
    if (!out.node.empty() && (out.mode & 07U) != 0) {
      return mode->wrong("a node's file may be a secret: not for everybody");
    }
  }
  return out;
}

Result<ImageService> parse_service(const std::string& name, const YamlField& map) {
  if (const auto good = check_name(name); !good) return map.wrong(good.error());
  TRY(map.only({"command", "environment", "user", "restart", "ready", "after", "capabilities",
                "files", "runtime_folders", "open", "asks"}));
  ImageService out{.name = name, .command = {}};
  TRY_ASSIGN(const YamlField command, map.at("command"));
  TRY_ASSIGN(out.command, parse_command(command));
  if (const auto environment = map.find("environment")) {
    TRY_ASSIGN(const auto members, environment->members("NAME: VALUE"));
    for (const auto& [variable, field] : members) {
      if (!is_variable(variable)) return field.wrong("is not a variable's name");
      TRY_ASSIGN(std::string value, field.word());
      TRY(fits_execve(field, variable.size() + 1 + value.size()));
      out.environment.emplace(variable, std::move(value));
    }
  }
  if (const auto user = map.find("user")) {
    TRY_ASSIGN(out.user, user->text_if(is_user, "a user's name"));
  }
  if (const auto restart = map.find("restart")) {
    TRY_ASSIGN(out.restart, named<Restart>(*restart, kRestartNames));
  }
  if (const auto ready = map.find("ready")) {
    TRY_ASSIGN(out.ready, parse_ready(*ready));
  }
  if (const auto after = map.find("after")) {
    TRY_ASSIGN(const auto items, after->items());
    for (const YamlField& item : items) {
      TRY_ASSIGN(auto other, item.text());
      if (std::find(out.after.begin(), out.after.end(), other) != out.after.end()) {
        return item.wrong(quotation(other) + " stands here twice");
      }
      out.after.push_back(std::move(other));
    }
  }
  if (const auto capabilities = map.find("capabilities")) {
    TRY_ASSIGN(out.capabilities, parse_capabilities(*capabilities));
  }
  if (const auto files = map.find("files")) {
    TRY_ASSIGN(const auto members, members_of(*files, "PATH: {text: ...} or {node: NAME}"));
    for (const auto& [path, field] : members) {
      TRY_ASSIGN(auto file, parse_file(path, field));
      const auto same = [&](const ServiceFile& it) { return it.node == file.node; };
      if (!file.node.empty() && std::any_of(out.files.begin(), out.files.end(), same)) {
        return field.wrong("the service has the node's file " + quotation(file.node) + " already");
      }
      out.files.push_back(std::move(file));
    }
    std::sort(out.files.begin(), out.files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
  }
  if (const auto folders = map.find("runtime_folders")) {
    TRY_ASSIGN(const auto items, folders->items());
    for (const YamlField& item : items) {
      TRY_ASSIGN(auto folder, item.text_if(is_runtime_folder, "a folder's name below /run"));
      if (std::count(out.runtime_folders.begin(), out.runtime_folders.end(), folder) != 0) {
        return item.wrong(quotation(folder) + " stands here twice");
      }
      out.runtime_folders.push_back(std::move(folder));
    }
  }
  TRY(read_ports(map, false, out.open));
  TRY(read_ports(map, true, out.open));
  return out;
}

// A folder is its service's user's, and made anew: no two services have one.
Status check_runtime_folders(const Members& members, const std::vector<ImageService>& services) {
  std::map<std::string, std::string> owners;
  for (std::size_t i = 0; i < services.size(); ++i) {
    const auto& folders = services[i].runtime_folders;
    for (std::size_t k = 0; k < folders.size(); ++k) {
      const auto [owner, fresh] = owners.emplace(folders[k], services[i].name);
      if (fresh) continue;
      TRY_ASSIGN(const YamlField list, members[i].second.at("runtime_folders"));
      TRY_ASSIGN(const auto items, list.items());
      return items[k].wrong(quotation(folders[k]) + " is the folder of service " + owner->second +
                            " already, with its user");
    }
  }
  return {};
}

// Every `after` names another service, and none leads back to where it began.
Status check_order(const Members& members, const std::vector<ImageService>& services) {
  std::map<std::string, const ImageService*> by_name;
  for (const auto& service : services) by_name.emplace(service.name, &service);
  for (const auto& [name, field] : members) {
    const ImageService& service = *by_name.at(name);
    for (std::size_t i = 0; i < service.after.size(); ++i) {
      TRY_ASSIGN(const YamlField after, field.at("after"));
      TRY_ASSIGN(const auto items, after.items());
      if (!by_name.contains(service.after[i])) {
        return items[i].wrong(quotation(service.after[i]) + " is no service of this image");
      }
      // All that has to be ready before it.
      std::vector<std::string> ahead{service.after[i]};
      std::set<std::string> seen;
      while (!ahead.empty()) {
        const std::string next = std::move(ahead.back());
        ahead.pop_back();
        if (next == name) {
          return items[i].wrong(name == service.after[i]
                                    ? "a service cannot wait for itself"
                                    : quotation(service.after[i]) + " waits for " + name +
                                          " itself: neither would ever be started");
        }
        const auto found = by_name.find(next);
        if (found == by_name.end() || !seen.insert(next).second) continue;
        ahead.insert(ahead.end(), found->second->after.begin(), found->second->after.end());
      }
    }
  }
  return {};
}

void emit_words(YAML::Emitter& out, const char* key, const std::vector<std::string>& words) {
  out << YAML::Key << key << YAML::Value << YAML::Flow << YAML::BeginSeq;
  for (const auto& word : words) out << YAML::DoubleQuoted << word;
  out << YAML::EndSeq;
}

void emit_ready(YAML::Emitter& out, const Readiness& ready) {
  out << YAML::Key << "ready" << YAML::Value;
  if (ready.by == ReadyBy::started) {
    out << "started";
    return;
  }
  out << YAML::Flow << YAML::BeginMap;
  const std::string way(kReadyNames[static_cast<std::size_t>(ready.by)]);
  if (ready.by == ReadyBy::command) {
    emit_words(out, way.c_str(), ready.command);
  } else {
    out << YAML::Key << way << YAML::Value << YAML::DoubleQuoted << ready.text;
  }
  out << YAML::Key << "within" << YAML::Value << std::to_string(ready.within.count()) + "ms"
      << YAML::EndMap;
}

void emit_file(YAML::Emitter& out, const ServiceFile& file) {
  out << YAML::Key << YAML::DoubleQuoted << file.path << YAML::Value << YAML::BeginMap;
  if (file.node.empty()) {
    out << YAML::Key << "text" << YAML::Value << YAML::DoubleQuoted << file.text;
  } else {
    out << YAML::Key << "node" << YAML::Value << file.node;
  }
  if (!file.owner.empty()) out << YAML::Key << "owner" << YAML::Value << file.owner;
  out << YAML::Key << "mode" << YAML::Value << YAML::DoubleQuoted << print_mode(file.mode)
      << YAML::EndMap;
}

}  // namespace

Result<std::vector<ImageService>> parse_image_services(const YamlField& map) {
  TRY_ASSIGN(const auto members, members_of(map, "NAME: {command: [...], ...}"));
  std::vector<ImageService> out;
  for (const auto& [name, field] : members) {
    if (out.size() == kMostServices) return field.wrong("more than 64 services");
    TRY_ASSIGN(auto service, parse_service(name, field));
    out.push_back(std::move(service));
  }
  TRY(check_order(members, out));
  TRY(check_runtime_folders(members, out));
  return out;
}

void emit(YAML::Emitter& out, const std::vector<ImageService>& services) {
  out << YAML::BeginMap;
  for (const auto& service : services) {
    out << YAML::Key << service.name << YAML::Value << YAML::BeginMap;
    emit_words(out, "command", service.command);
    if (!service.environment.empty()) {
      out << YAML::Key << "environment" << YAML::Value << YAML::BeginMap;
      for (const auto& [name, value] : service.environment) {
        out << YAML::Key << name << YAML::Value << YAML::DoubleQuoted << value;
      }
      out << YAML::EndMap;
    }
    out << YAML::Key << "user" << YAML::Value << service.user;
    out << YAML::Key << "restart" << YAML::Value
        << std::string(kRestartNames[static_cast<std::size_t>(service.restart)]);
    emit_ready(out, service.ready);
    if (!service.after.empty()) emit_words(out, "after", service.after);
    if (service.capabilities) emit_words(out, "capabilities", *service.capabilities);
    if (!service.files.empty()) {
      out << YAML::Key << "files" << YAML::Value << YAML::BeginMap;
      for (const auto& file : service.files) emit_file(out, file);
      out << YAML::EndMap;
    }
    if (!service.runtime_folders.empty()) {
      emit_words(out, "runtime_folders", service.runtime_folders);
    }
    for (const bool asked : {false, true}) {
      const auto is_of = [&](const OpenPort& port) { return port.asked == asked; };
      if (std::none_of(service.open.begin(), service.open.end(), is_of)) continue;
      out << YAML::Key << (asked ? "asks" : "open") << YAML::Value << YAML::BeginSeq;
      for (const auto& port : service.open) {
        if (!is_of(port)) continue;
        out << YAML::Flow << YAML::BeginMap << YAML::Key << (port.tcp ? "tcp" : "udp")
            << YAML::Value << static_cast<unsigned>(port.port) << YAML::EndMap;
      }
      out << YAML::EndSeq;
    }
    out << YAML::EndMap;
  }
  out << YAML::EndMap;
}

}  // namespace weir::manifests
