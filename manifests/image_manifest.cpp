#include "manifests/image_manifest.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>

#include "manifests/yaml_reader.h"

namespace weir::manifests {
namespace {

constexpr std::string_view kDefaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Debian policy 5.6.1; `extra` adds what patterns may have.
bool is_package_name(std::string_view text, std::string_view extra = "") {
  return text.size() >= 2 && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_lower(c) || is_digit(c) || is_one_of(c, "+-.") || is_one_of(c, extra);
         });
}

bool is_version(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || is_one_of(c, "+-.~:*");
  });
}

// A path segment of an archive: suites and components become parts of URLs.
bool is_archive_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || is_digit(c) || is_one_of(c, "-._");
  });
}

bool is_module_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || is_one_of(c, "_-");
  });
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

Result<std::vector<std::string>> names(const yaml::Field& field, bool (*valid)(std::string_view),
                                       std::string_view what) {
  TRY_ASSIGN(const auto entries, yaml::list(field));
  for (const auto& entry : entries) {
    TRY_ASSIGN(const auto value, yaml::text(entry));
    if (!valid(value)) return entry.refuse("'" + value + "' is not " + std::string(what));
  }
  return yaml::texts(field);
}

bool is_plain_package(std::string_view text) {
  return is_package_name(text);
}

Result<ImageSources> parse_sources(const yaml::Field& field) {
  TRY_ASSIGN(const auto map, yaml::Map::of(field, {"suites", "components", "mirror", "keyring"}));
  ImageSources out;
  TRY_ASSIGN(const auto suites, map.need("suites"));
  TRY_ASSIGN(out.suites, names(suites, is_archive_name, "the name of a suite"));
  if (out.suites.empty()) return suites.refuse("must name at least one suite");
  out.components = {"main"};
  if (const auto* components = map.find("components")) {
    TRY_ASSIGN(out.components, names(*components, is_archive_name, "the name of a component"));
    if (out.components.empty()) return components->refuse("must name at least one component");
  }
  if (const auto* mirror = map.find("mirror")) {
    TRY_ASSIGN(const auto value, yaml::text(*mirror));
    if (value != "apt") {
      return mirror->refuse(
          "must be 'apt' (this machine's apt configuration); another mirror is given on the "
          "command line: weir-builder lock --mirror URL");
    }
  }
  out.keyring = kDefaultKeyring;
  if (const auto* keyring = map.find("keyring")) {
    TRY_ASSIGN(out.keyring, yaml::text(*keyring));
  }
  return out;
}

Result<KernelPin> parse_kernel(const yaml::Field& field) {
  TRY_ASSIGN(const auto map, yaml::Map::of(field, {"package", "version"}));
  KernelPin out;
  TRY_ASSIGN(const auto package, map.need("package"));
  TRY_ASSIGN(out.package, yaml::text(package));
  if (!is_package_name(out.package, "*")) {
    return package.refuse("'" + out.package + "' is not a package name or pattern");
  }
  if (const auto* version = map.find("version")) {
    TRY_ASSIGN(out.version, yaml::text(*version));
    if (!is_version(*out.version)) {
      return version->refuse("'" + *out.version + "' is not a version or pattern");
    }
  }
  return out;
}

Result<std::map<std::string, std::string>> parse_constraints(const yaml::Field& field) {
  TRY_ASSIGN(const auto map, yaml::Map::of(field));
  std::map<std::string, std::string> out;
  for (const auto& [package, value] : map.entries()) {
    TRY_ASSIGN(auto version, yaml::text(value));
    if (!is_package_name(package)) {
      return value.refuse("'" + package + "' is not a package name");
    }
    if (!is_version(version)) {
      return value.refuse("'" + version + "' is not a version or pattern such as 6.1.*");
    }
    out.emplace(package, std::move(version));
  }
  return out;
}

Result<AcceptedScript> parse_accepted(const yaml::Field& field) {
  TRY_ASSIGN(const auto map, yaml::Map::of(field, {"package", "script", "sha256", "why"}));
  AcceptedScript out;
  TRY_ASSIGN(const auto package, map.need("package"));
  TRY_ASSIGN(out.package, yaml::text(package));
  if (!is_package_name(out.package, "*")) {
    return package.refuse("'" + out.package + "' is not a package name or pattern");
  }
  TRY_ASSIGN(const auto script, map.need("script"));
  TRY_ASSIGN(out.script, yaml::text(script));
  if (out.script != "preinst" && out.script != "postinst") {
    return script.refuse("must be preinst or postinst (others never run in a new system)");
  }
  TRY_ASSIGN(const auto digests, map.need("sha256"));
  std::vector<yaml::Field> entries{digests};
  if (!digests.node.IsScalar()) {
    TRY_ASSIGN(entries, yaml::list(digests));
  }
  for (const auto& entry : entries) {
    TRY_ASSIGN(const auto hex, yaml::text(entry));
    auto digest = Digest::parse(hex);
    if (!digest) return entry.refuse(std::move(digest).error());
    out.digests.push_back(*digest);
  }
  if (out.digests.empty()) return digests.refuse("must name at least one digest");
  TRY_ASSIGN(const auto why, map.need("why"));
  TRY_ASSIGN(out.why, yaml::text(why));
  return out;
}

Result<ImageUser> parse_user(const yaml::Field& field) {
  TRY_ASSIGN(const auto map, yaml::Map::of(field, {"name", "id"}));
  ImageUser out;
  TRY_ASSIGN(const auto name, map.need("name"));
  TRY_ASSIGN(out.name, yaml::text(name));
  const bool valid = out.name.size() <= 32 && (is_lower(out.name.front()) || out.name[0] == '_') &&
                     std::all_of(out.name.begin(), out.name.end(), [](char c) {
                       return is_lower(c) || is_digit(c) || is_one_of(c, "_-");
                     });
  if (!valid || out.name == "root") return name.refuse("'" + out.name + "' is not a user's name");
  TRY_ASSIGN(const auto id, map.need("id"));
  TRY_ASSIGN(const auto number, yaml::number(id, 65533));
  if (number == 0) return id.refuse("0 is root's");
  out.id = static_cast<std::uint32_t>(number);
  return out;
}

Result<ImageFile> parse_file(const yaml::Field& field) {
  TRY_ASSIGN(const auto map, yaml::Map::of(field, {"path", "content", "mode"}));
  ImageFile out;
  TRY_ASSIGN(const auto path, map.need("path"));
  TRY_ASSIGN(out.path, yaml::text(path));
  if (!is_image_path(out.path)) {
    return path.refuse("'" + out.path + "' is not an absolute path without '.', '..' and '//'");
  }
  TRY_ASSIGN(const auto content, map.need("content"));
  if (!content.node.IsScalar()) return content.refuse("must be a text");
  out.content = content.node.Scalar();
  if (const auto* mode = map.find("mode")) {
    TRY_ASSIGN(const auto digits, yaml::text(*mode));
    const char* end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, out.mode, 8);
    if (error != std::errc{} || rest != end || out.mode > 0777) {
      return mode->refuse("must be octal permissions such as 0644");
    }
  }
  return out;
}

// One entry parser over a list, with `key` telling entries apart.
template <class T, class Key>
Status parse_list(const yaml::Map& map, std::string_view name,
                  Result<T> (*parse)(const yaml::Field&), Key key, std::vector<T>& out) {
  const auto* field = map.find(name);
  if (field == nullptr) return {};
  TRY_ASSIGN(const auto entries, yaml::list(*field));
  for (const auto& entry : entries) {
    TRY_ASSIGN(auto value, parse(entry));
    for (const T& other : out) {
      if (key(other) == key(value)) return entry.refuse("the same as an entry above");
    }
    out.push_back(std::move(value));
  }
  return {};
}

Status parse_names(const yaml::Map& map, std::string_view name, bool (*valid)(std::string_view),
                   std::string_view what, std::vector<std::string>& out) {
  if (const auto* field = map.find(name)) {
    TRY_ASSIGN(out, names(*field, valid, what));
  }
  return {};
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; });
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  // The last `*` and where its run began: enough to go back to, runs before it are as short as can
  // be.
  std::size_t p = 0, t = 0, star = std::string_view::npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<ImageManifest> parse_image_manifest(std::string_view document) {
  TRY_ASSIGN(const auto root, yaml::parse(document));
  TRY_ASSIGN(const auto map,
             yaml::Map::of(root, {"name", "architecture", "sources", "kernel", "modules",
                                  "packages", "constraints", "provides", "accept_scripts", "users",
                                  "files", "command_line", "documentation", "node_programs"}));
  TRY_ASSIGN(const auto name_field, map.need("name"));
  TRY_ASSIGN(const auto name_text, yaml::text(name_field));
  auto name = ReleaseName::parse(name_text);
  if (!name) return name_field.refuse(std::move(name).error());
  ImageManifest out{.name = std::move(*name)};

  TRY_ASSIGN(const auto architecture, map.need("architecture"));
  TRY_ASSIGN(out.architecture, yaml::text(architecture));
  if (!is_package_name(out.architecture)) {
    return architecture.refuse("'" + out.architecture + "' is not a Debian architecture");
  }
  TRY_ASSIGN(const auto sources, map.need("sources"));
  TRY_ASSIGN(out.sources, parse_sources(sources));
  TRY_ASSIGN(const auto kernel, map.need("kernel"));
  TRY_ASSIGN(out.kernel, parse_kernel(kernel));
  TRY(parse_names(map, "modules", is_module_name, "a module's name", out.modules));
  TRY(parse_names(map, "packages", is_plain_package, "a package name", out.packages));
  TRY(parse_names(map, "provides", is_plain_package, "a package name", out.provides));
  if (const auto* constraints = map.find("constraints")) {
    TRY_ASSIGN(out.constraints, parse_constraints(*constraints));
  }
  TRY(parse_list(
      map, "accept_scripts", parse_accepted,
      [](const AcceptedScript& entry) { return std::pair(entry.package, entry.script); },
      out.accept_scripts));
  TRY(parse_list(
      map, "users", parse_user, [](const ImageUser& user) { return user.name; }, out.users));
  TRY(parse_list(
      map, "files", parse_file, [](const ImageFile& file) { return file.path; }, out.files));
  if (const auto* field = map.find("command_line")) {
    TRY_ASSIGN(out.command_line, yaml::text(*field));
    if (!is_one_line(out.command_line) || out.command_line.size() > 1024) {
      return field->refuse("must be one line of at most 1024 printable characters");
    }
  }
  if (const auto* field = map.find("documentation")) {
    TRY_ASSIGN(out.documentation, yaml::boolean(*field));
  }
  if (const auto* field = map.find("node_programs")) {
    TRY_ASSIGN(out.node_programs, yaml::text(*field));
  }
  for (const auto& provided : out.provides) {
    if (std::find(out.packages.begin(), out.packages.end(), provided) != out.packages.end()) {
      return map.find("provides")->refuse("'" + provided + "' is also asked for in packages");
    }
  }
  return out;
}

std::string print(const ImageManifest& manifest) {
  YAML::Emitter out;
  const auto names_of = [&](const char* key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    out << YAML::Key << key << YAML::Value << YAML::Flow << values;
  };
  out << YAML::BeginMap;
  out << YAML::Key << "name" << YAML::Value << manifest.name.string();
  out << YAML::Key << "architecture" << YAML::Value << manifest.architecture;
  out << YAML::Key << "sources" << YAML::Value << YAML::BeginMap;
  names_of("suites", manifest.sources.suites);
  names_of("components", manifest.sources.components);
  out << YAML::Key << "keyring" << YAML::Value << manifest.sources.keyring << YAML::EndMap;
  out << YAML::Key << "kernel" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "package" << YAML::Value << YAML::DoubleQuoted << manifest.kernel.package;
  if (manifest.kernel.version) {
    out << YAML::Key << "version" << YAML::Value << YAML::DoubleQuoted << *manifest.kernel.version;
  }
  out << YAML::EndMap;
  names_of("modules", manifest.modules);
  names_of("packages", manifest.packages);
  if (!manifest.constraints.empty()) {
    out << YAML::Key << "constraints" << YAML::Value << YAML::BeginMap;
    for (const auto& [package, version] : manifest.constraints) {
      out << YAML::Key << package << YAML::Value << YAML::DoubleQuoted << version;
    }
    out << YAML::EndMap;
  }
  names_of("provides", manifest.provides);
  if (!manifest.accept_scripts.empty()) {
    out << YAML::Key << "accept_scripts" << YAML::Value << YAML::BeginSeq;
    for (const auto& entry : manifest.accept_scripts) {
      out << YAML::BeginMap << YAML::Key << "package" << YAML::Value << YAML::DoubleQuoted
          << entry.package << YAML::Key << "script" << YAML::Value << entry.script << YAML::Key
          << "sha256" << YAML::Value << YAML::BeginSeq;
      for (const auto& digest : entry.digests) out << digest.hex();
      out << YAML::EndSeq << YAML::Key << "why" << YAML::Value << YAML::DoubleQuoted << entry.why
          << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  if (!manifest.users.empty()) {
    out << YAML::Key << "users" << YAML::Value << YAML::BeginSeq;
    for (const auto& user : manifest.users) {
      out << YAML::Flow << YAML::BeginMap << YAML::Key << "name" << YAML::Value << user.name
          << YAML::Key << "id" << YAML::Value << user.id << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  if (!manifest.files.empty()) {
    out << YAML::Key << "files" << YAML::Value << YAML::BeginSeq;
    for (const auto& file : manifest.files) {
      std::string mode = "0";
      for (int shift = 6; shift >= 0; shift -= 3) {
        mode += static_cast<char>('0' + (file.mode >> shift & 7));
      }
      out << YAML::BeginMap << YAML::Key << "path" << YAML::Value << YAML::DoubleQuoted << file.path
          << YAML::Key << "mode" << YAML::Value << YAML::DoubleQuoted << mode << YAML::Key
          << "content" << YAML::Value << YAML::DoubleQuoted << file.content << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  if (!manifest.command_line.empty()) {
    out << YAML::Key << "command_line" << YAML::Value << YAML::DoubleQuoted
        << manifest.command_line;
  }
  out << YAML::Key << "documentation" << YAML::Value << manifest.documentation;
  if (manifest.node_programs) {
    out << YAML::Key << "node_programs" << YAML::Value << YAML::DoubleQuoted
        << *manifest.node_programs;
  }
  out << YAML::EndMap << YAML::Newline;
  return out.c_str();
}

}  // namespace weir::manifests
