#include "manifests/documents/accepted_entries.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "manifests/base/ascii.h"
#include "manifests/base/printable.h"
#include "manifests/base/yaml_document.h"

namespace weir::manifests {
namespace {

bool is_package_pattern(std::string_view text) {
  return is_package_name(text, "*");
}
bool is_installation_script(std::string_view text) {
  return text == "preinst" || text == "postinst";
}
bool is_account(std::string_view text) {
  return text == "root" || is_user_name(text);
}

bool is_letter(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z');
}

constexpr std::size_t kLongestWhy = 4096;
constexpr std::string_view kUser = "a user's name";
constexpr std::string_view kGroup = "a group's name";

// One digest or a list of them, under `sha256`.
Result<std::vector<Digest>> parse_digests(const YamlField& map) {
  TRY_ASSIGN(const auto field, map.at("sha256"));
  std::vector<YamlField> items{field};
  if (field.is_list()) {
    TRY_ASSIGN(items, field.items());
  }
  std::vector<Digest> out;
  for (const auto& item : items) {
    TRY_ASSIGN(const auto digest, item.as(Digest::parse));
    out.push_back(digest);
  }
  if (out.empty()) return field.wrong("must name at least one digest");
  return out;
}

Result<std::string> parse_why(const YamlField& map) {
  TRY_ASSIGN(const auto field, map.at("why"));
  TRY_ASSIGN(auto why, field.text());
  // As a lock can hold it.
  if (why.size() > kLongestWhy) return field.wrong("is longer than 4096 bytes");
  return why;
}

Result<std::vector<std::string>> parse_groups(const YamlField& map) {
  std::vector<std::string> out;
  const auto field = map.find("groups");
  if (!field) return out;
  TRY_ASSIGN(const auto items, field->items());
  for (const auto& item : items) {
    TRY_ASSIGN(auto name, item.text_if(is_user_name, kGroup));
    if (std::find(out.begin(), out.end(), name) != out.end()) {
      return item.wrong(quotation(name) + " stands here twice");
    }
    out.push_back(std::move(name));
  }
  return out;
}

Result<SystemUser> parse_user(const YamlField& map) {
  TRY(map.only({"name", "group", "groups", "home", "shell"}));
  SystemUser out;
  TRY_ASSIGN(out.name, text_at(map, "name", is_user_name, kUser));
  if (map.find("group")) {
    TRY_ASSIGN(out.group, text_at(map, "group", is_account, kGroup));
  }
  TRY_ASSIGN(out.groups, parse_groups(map));
  if (map.find("home")) {
    TRY_ASSIGN(out.home, text_at(map, "home", is_image_path, kImagePath));
  }
  if (map.find("shell")) {
    TRY_ASSIGN(out.shell, text_at(map, "shell", is_image_path, kImagePath));
  }
  return out;
}

void emit_digests_and_why(YAML::Emitter& out, const std::vector<Digest>& digests,
                          const std::string& why) {
  out << YAML::Key << "sha256" << YAML::Value;
  if (digests.size() == 1) {
    out << digests.front().hex();
  } else {
    out << YAML::BeginSeq;
    for (const auto& digest : digests) out << digest.hex();
    out << YAML::EndSeq;
  }
  out << YAML::Key << "why" << YAML::Value << YAML::DoubleQuoted << why;
}

void emit_names(YAML::Emitter& out, const char* key, const std::vector<std::string>& names) {
  if (names.empty()) return;
  out << YAML::Key << key << YAML::Value << YAML::Flow << names;
}

void emit(YAML::Emitter& out, const SystemUser& user) {
  const SystemUser plain;
  out << YAML::Flow << YAML::BeginMap << YAML::Key << "name" << YAML::Value << user.name;
  if (user.group != plain.group) out << YAML::Key << "group" << YAML::Value << user.group;
  emit_names(out, "groups", user.groups);
  if (user.home != plain.home) out << YAML::Key << "home" << YAML::Value << user.home;
  if (user.shell != plain.shell) out << YAML::Key << "shell" << YAML::Value << user.shell;
  out << YAML::EndMap;
}

}  // namespace

bool is_package_name(std::string_view text, std::string_view extra) {
  return text.size() >= 2 && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_lower(c) || is_digit(c) || is_one_of(c, "+-.") || is_one_of(c, extra);
         });
}

bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && name != "root" &&
         (is_letter(name.front()) || name.front() == '_') &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || is_one_of(c, "_-"); });
}

bool is_image_path(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.size() > 255) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (std::any_of(segment.begin(), segment.end(), [](char c) { return c <= ' ' || c > '~'; })) {
      return false;
    }
    path.remove_prefix(segment.size());
  }
  return true;
}

Result<std::uint32_t> parse_mode(const YamlField& field, std::uint32_t most) {
  TRY_ASSIGN(const auto digits, field.word());
  std::uint32_t mode = 0;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, mode, 8);
  if (error != std::errc{} || rest != end || mode > most) {
    return field.wrong("must be octal permissions such as 0644");
  }
  return mode;
}

std::string print_mode(std::uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) out += static_cast<char>('0' + (mode >> shift & 7));
  return out;
}

Result<SystemFolder> parse_system_folder(const YamlField& map) {
  TRY(map.only({"path", "owner", "group", "mode"}));
  SystemFolder out;
  TRY_ASSIGN(out.path, text_at(map, "path", is_image_path, kImagePath));
  if (map.find("owner")) {
    TRY_ASSIGN(out.owner, text_at(map, "owner", is_account, kUser));
  }
  if (map.find("group")) {
    TRY_ASSIGN(out.group, text_at(map, "group", is_account, kGroup));
  }
  if (const auto mode = map.find("mode")) {
    TRY_ASSIGN(out.mode, parse_mode(*mode, 07777));
  }
  return out;
}

Result<AcceptedScript> parse_accepted_script(const YamlField& map) {
  TRY(map.only({"package", "script", "sha256", "why", "users", "groups", "folders"}));
  AcceptedScript out;
  TRY_ASSIGN(out.package, text_at(map, "package", is_package_pattern, "a package name or pattern"));
  TRY_ASSIGN(out.script, text_at(map, "script", is_installation_script,
                                 "preinst or postinst (no other script runs in a new system)"));
  TRY_ASSIGN(out.digests, parse_digests(map));
  TRY_ASSIGN(out.why, parse_why(map));
  TRY_ASSIGN(out.users, distinct_at(map, "users", parse_user, &SystemUser::name));
  TRY_ASSIGN(out.groups, parse_groups(map));
  TRY_ASSIGN(out.folders, distinct_at(map, "folders", parse_system_folder, &SystemFolder::path));
  return out;
}

Result<AcceptedSecret> parse_accepted_secret(const YamlField& map) {
  TRY(map.only({"path", "sha256", "why"}));
  AcceptedSecret out;
  TRY_ASSIGN(out.path, text_at(map, "path", is_image_path, kImagePath));
  TRY_ASSIGN(out.digests, parse_digests(map));
  TRY_ASSIGN(out.why, parse_why(map));
  return out;
}

void emit(YAML::Emitter& out, const SystemFolder& folder) {
  const SystemFolder plain;
  out << YAML::Flow << YAML::BeginMap << YAML::Key << "path" << YAML::Value << folder.path;
  if (folder.owner != plain.owner) out << YAML::Key << "owner" << YAML::Value << folder.owner;
  if (folder.group != plain.group) out << YAML::Key << "group" << YAML::Value << folder.group;
  if (folder.mode != plain.mode) {
    out << YAML::Key << "mode" << YAML::Value << YAML::DoubleQuoted << print_mode(folder.mode);
  }
  out << YAML::EndMap;
}

void emit(YAML::Emitter& out, const AcceptedScript& entry) {
  out << YAML::BeginMap << YAML::Key << "package" << YAML::Value;
  if (entry.package.find('*') != std::string::npos) out << YAML::DoubleQuoted;
  out << entry.package << YAML::Key << "script" << YAML::Value << entry.script;
  emit_digests_and_why(out, entry.digests, entry.why);
  if (!entry.users.empty()) {
    out << YAML::Key << "users" << YAML::Value << YAML::BeginSeq;
    for (const auto& user : entry.users) emit(out, user);
    out << YAML::EndSeq;
  }
  emit_names(out, "groups", entry.groups);
  if (!entry.folders.empty()) {
    out << YAML::Key << "folders" << YAML::Value << YAML::BeginSeq;
    for (const auto& folder : entry.folders) emit(out, folder);
    out << YAML::EndSeq;
  }
  out << YAML::EndMap;
}

void emit(YAML::Emitter& out, const AcceptedSecret& entry) {
  out << YAML::BeginMap << YAML::Key << "path" << YAML::Value << YAML::DoubleQuoted << entry.path;
  emit_digests_and_why(out, entry.digests, entry.why);
  out << YAML::EndMap;
}

std::string print_entry(const AcceptedScript& entry) {
  YAML::Emitter emitter;
  emitter << YAML::BeginSeq;
  emit(emitter, entry);
  emitter << YAML::EndSeq;
  std::string out = "  ";
  for (const char c : std::string(emitter.c_str())) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out + "\n";
}

}  // namespace weir::manifests
