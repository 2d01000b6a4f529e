#include "manifests/documents/image_manifest.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "manifests/base/ascii.h"
#include "manifests/base/paths.h"
#include "manifests/base/printable.h"
#include "manifests/base/yaml_document.h"
#include "manifests/base/yaml_scalar.h"
#include "manifests/documents/architecture.h"
#include "manifests/documents/image_places.h"

namespace weir::manifests {
namespace {

bool is_version(std::string_view text) {
  return !text.empty() && kind_of_scalar(text) != YamlScalar::boolean &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || is_one_of(c, "+-.~:*");
         });
}

bool is_module_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || is_one_of(c, "_-");
  });
}

// A file beside the manifest, or anywhere.
bool is_module_file(std::string_view text) {
  return text.size() <= 4096 &&
         (text.ends_with(".ko") || text.ends_with(".ko.xz") || text.ends_with(".ko.zst"));
}

using Check = bool (*)(std::string_view);

// A list of texts, each `valid`; absent: as `out` already is. None may stand in it twice.
Status read_names(const YamlField& map, std::string_view key, Check valid, std::string_view what,
                  std::vector<std::string>& out) {
  const auto field = map.find(key);
  if (!field) return {};
  TRY_ASSIGN(const auto items, field->items());
  out.clear();
  std::set<std::string> seen;
  for (const auto& item : items) {
    TRY_ASSIGN(auto value, item.text_if(valid, what));
    if (!seen.insert(value).second) {
      return item.wrong(quotation(value) + " stands here twice");
    }
    out.push_back(std::move(value));
  }
  return {};
}

bool is_plain_package(std::string_view text) {
  return is_package_name(text);
}
bool is_package_pattern(std::string_view text) {
  return is_package_name(text, "*");
}
// For the kernel, hyphens and underscores are the same.
std::string as_kernel_shows(std::string text) {
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

Result<ModuleSource> parse_module_source(const YamlField& map) {
  TRY(map.only({"name", "package", "file", "sha256", "dkms"}));
  if (const auto dkms = map.find("dkms")) {
    for (const char* other : {"package", "file", "sha256"}) {
      if (const auto field = map.find(other)) {
        return field->wrong("a module that is compiled comes from its DKMS package alone");
      }
    }
    ModuleSource out;
    TRY_ASSIGN(out.dkms, dkms->text_if(is_plain_package, "a package name"));
    return out;
  }
  if (const auto package = map.find("package")) {
    for (const char* other : {"file", "sha256"}) {
      if (const auto field = map.find(other)) {
        return field->wrong("a module comes from a package or from a file, not from both");
      }
    }
    TRY_ASSIGN(auto name, package->text_if(is_plain_package, "a package name"));
    return ModuleSource{std::move(name)};
  }
  if (!map.find("file")) return map.wrong("must say a package, a file or dkms");
  ModuleSource out;
  TRY_ASSIGN(out.file,
             text_at(map, "file", is_module_file, "a file that ends in .ko, .ko.xz or .ko.zst"));
  TRY_ASSIGN(const auto file, map.at("file"));
  TRY(file.as(parse_path));
  TRY_ASSIGN(const auto digest, map.at("sha256"));
  TRY_ASSIGN(out.digest, digest.as(Digest::parse));
  return out;
}

// Each a name, or a mapping that says where the module of that name comes from.
Status read_modules(const YamlField& root, ImageManifest& out) {
  const auto field = root.find("modules");
  if (!field) return {};
  TRY_ASSIGN(const auto items, field->items());
  std::set<std::string> seen;
  for (const auto& item : items) {
    std::optional<ModuleSource> source;
    YamlField name_field = item;
    if (item.is_mapping()) {
      TRY_ASSIGN(source, parse_module_source(item));
      TRY_ASSIGN(name_field, item.at("name"));
    }
    TRY_ASSIGN(auto name, name_field.text_if(is_module_name, "a module's name"));
    if (!seen.insert(as_kernel_shows(name)).second) {
      return item.wrong(quotation(name) + " stands here twice");
    }
    if (source) out.module_sources.emplace(name, std::move(*source));
    out.modules.push_back(std::move(name));
  }
  return {};
}

Status read_module_signer(const YamlField& root, ImageManifest& out) {
  const auto field = root.find("module_signer");
  if (!field) return {};
  if (dkms_packages(out).empty()) {
    return field->wrong(
        "no module is compiled (modules: {name: …, dkms: …}), so there is nothing "
        "to sign: leave it out");
  }
  TRY_ASSIGN(out.module_signer, field->as(parse_path));
  return {};
}

Result<KernelPin> parse_kernel(const YamlField& map) {
  TRY(map.only({"package", "version"}));
  KernelPin out;
  TRY_ASSIGN(out.package, text_at(map, "package", is_package_pattern, "a package name or pattern"));
  if (const auto version = map.find("version")) {
    TRY_ASSIGN(out.version, version->word_if(is_version, "a version or pattern such as 6.1.*"));
  }
  return out;
}

Result<std::map<std::string, std::string>> parse_constraints(const YamlField& map) {
  std::map<std::string, std::string> out;
  TRY_ASSIGN(const auto members, map.members("PACKAGE: VERSION"));
  for (const auto& [package, field] : members) {
    if (!is_package_name(package))
      return field.wrong(quotation(package) + " is not a package name");
    TRY_ASSIGN(auto version, field.word_if(is_version, "a version or pattern such as 6.1.*"));
    out.emplace(package, std::move(version));
  }
  return out;
}

Result<ImageUser> parse_user(const YamlField& map) {
  TRY(map.only({"name", "id"}));
  ImageUser out;
  TRY_ASSIGN(out.name, text_at(map, "name", is_user_name, "a user's name (root is there)"));
  TRY_ASSIGN(const auto id, map.at("id"));
  TRY_ASSIGN(const auto number, id.number(1, 65533));
  out.id = static_cast<std::uint32_t>(number);
  return out;
}

Result<ImageFile> parse_file(const YamlField& map) {
  TRY(map.only({"path", "content", "mode"}));
  ImageFile out;
  TRY_ASSIGN(out.path, text_at(map, "path", is_image_path, kImagePath));
  TRY_ASSIGN(const auto content, map.at("content"));
  TRY_ASSIGN(out.content, content.lines());
  if (const auto mode = map.find("mode")) {
    TRY_ASSIGN(out.mode, parse_mode(*mode, 0777));
  }
  return out;
}

// "90d": 1 to 3650 days. Days, because nobody promises a release for some minutes.
Result<std::chrono::seconds> parse_days(std::string_view text) {
  int days = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc{} || std::string_view(rest, text.data() + text.size()) != "d" ||
      days < 1 || days > 3650) {
    return fail(Errc::invalid_input, "must be from 1d to 3650d");
  }
  return std::chrono::hours(24 * days);
}

Result<ReleasePolicy> parse_release_policy(const YamlField& map) {
  constexpr std::uint64_t kLargest = (1ULL << 53) - 1;
  TRY(map.only({"version", "channel", "replaces_from", "valid_for"}));
  ReleasePolicy out;
  if (const auto field = map.find("version")) {
    TRY_ASSIGN(out.version, field->number(1, kLargest));
  }
  if (const auto field = map.find("channel")) {
    TRY_ASSIGN(out.channel, field->as(ChannelName::parse));
  }
  if (const auto field = map.find("replaces_from")) {
    TRY_ASSIGN(out.replaces_from, field->number(0, out.version.value_or(kLargest)));
  }
  if (const auto field = map.find("valid_for")) {
    TRY_ASSIGN(out.valid_for, field->as(parse_days));
  }
  return out;
}

// One list or several, each a name that Weir ships or a file.
Status read_reviewed(const YamlField& root, std::vector<std::string>& out) {
  const auto field = root.find("reviewed");
  if (!field) return {};
  std::vector<YamlField> items{*field};
  if (field->is_list()) {
    TRY_ASSIGN(items, field->items());
  }
  for (const auto& item : items) {
    TRY_ASSIGN(auto name, item.as(parse_path));
    if (std::find(out.begin(), out.end(), name) != out.end()) {
      return item.wrong(quotation(name) + " stands here twice");
    }
    out.push_back(std::move(name));
  }
  return {};
}

bool is_command_line(std::string_view text) {
  return text.size() <= 1024 &&
         std::none_of(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; });
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

Result<ImageManifest> parse_image_manifest(std::string_view document, std::string_view file) {
  TRY_ASSIGN(const auto tree, parse_yaml(document, file));
  const auto root = YamlField::root(tree, file);
  TRY(root.only({"name",           "architecture",   "sources",       "kernel",        "modules",
                 "module_signer",  "packages",       "constraints",   "provides",      "reviewed",
                 "accept_scripts", "accept_secrets", "users",         "folders",       "files",
                 "services",       "command_line",   "documentation", "node_programs", "release"}));
  TRY_ASSIGN(const auto name_field, root.at("name"));
  TRY_ASSIGN(auto name, name_field.as(ReleaseName::parse));
  ImageManifest out{.name = std::move(name)};
  TRY_ASSIGN(const auto architecture, root.at("architecture"));
  TRY_ASSIGN(const Architecture known, architecture.as(parse_architecture));
  out.architecture = known.name;
  TRY_ASSIGN(const auto sources, root.at("sources"));
  TRY_ASSIGN(out.sources, parse_image_sources(sources));
  TRY_ASSIGN(const auto kernel, root.at("kernel"));
  TRY_ASSIGN(out.kernel, parse_kernel(kernel));
  TRY(read_modules(root, out));
  TRY(read_module_signer(root, out));
  TRY(read_names(root, "packages", is_plain_package, "a package name", out.packages));
  TRY(read_names(root, "provides", is_plain_package, "a package name", out.provides));
  if (const auto constraints = root.find("constraints")) {
    TRY_ASSIGN(out.constraints, parse_constraints(*constraints));
  }
  TRY(read_reviewed(root, out.reviewed));
  TRY_ASSIGN(out.accept_scripts, distinct_at(root, "accept_scripts", parse_accepted_script,
                                             [](const AcceptedScript& entry) {
                                               return std::pair(entry.package, entry.script);
                                             }));
  TRY_ASSIGN(out.accept_secrets,
             distinct_at(root, "accept_secrets", parse_accepted_secret, &AcceptedSecret::path));
  TRY_ASSIGN(out.users, distinct_at(root, "users", parse_user, &ImageUser::name));
  TRY_ASSIGN(out.folders, distinct_at(root, "folders", parse_system_folder, &SystemFolder::path));
  TRY_ASSIGN(out.files, distinct_at(root, "files", parse_file, &ImageFile::path));
  if (const auto services = root.find("services")) {
    TRY_ASSIGN(out.services, parse_image_services(*services));
  }
  TRY(check_image_places(root));
  if (const auto field = root.find("command_line")) {
    TRY_ASSIGN(out.command_line,
               field->text_if(is_command_line, "one line of printable ASCII, at most 1024 bytes"));
  }
  if (const auto field = root.find("documentation")) {
    TRY_ASSIGN(out.documentation, field->boolean());
  }
  if (const auto field = root.find("node_programs")) {
    TRY_ASSIGN(out.node_programs, field->as(parse_path));
  }
  if (const auto field = root.find("release")) {
    TRY_ASSIGN(out.release, parse_release_policy(*field));
  }
  const std::set<std::string> asked(out.packages.begin(), out.packages.end());
  for (const auto& provided : out.provides) {
    if (asked.contains(provided)) {
      return root.find("provides")->wrong(quotation(provided) + " is also asked for in packages");
    }
  }
  return out;
}

std::vector<std::string> dkms_packages(const ImageManifest& manifest) {
  std::set<std::string> out;
  for (const auto& [_, source] : manifest.module_sources) {
    if (!source.dkms.empty()) out.insert(source.dkms);
  }
  return {out.begin(), out.end()};
}

std::string print(const ImageManifest& manifest) {
  YAML::Emitter out;
  // So that 7 and true stay texts.
  out.SetStringFormat(YAML::DoubleQuoted);
  const auto names_of = [&](const char* key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    out << YAML::Key << key << YAML::Value << YAML::Flow << values;
  };
  out << YAML::BeginMap;
  out << YAML::Key << "name" << YAML::Value << manifest.name.string();
  out << YAML::Key << "architecture" << YAML::Value << manifest.architecture;
  out << YAML::Key << "sources" << YAML::Value;
  if (manifest.sources.size() != 1) out << YAML::BeginSeq;
  for (const auto& source : manifest.sources) {
    out << YAML::BeginMap;
    if (!source.name.empty()) out << YAML::Key << "name" << YAML::Value << source.name;
    if (!source.apt.empty()) {
      out << YAML::Key << "apt" << YAML::Value << YAML::DoubleQuoted << source.apt;
    }
    names_of("suites", source.suites);
    names_of("components", source.components);
    if (!source.keyring.empty()) {
      out << YAML::Key << "keyring" << YAML::Value << YAML::DoubleQuoted << source.keyring;
    }
    if (!source.vendor.empty()) {
      out << YAML::Key << "vendor" << YAML::Value << YAML::DoubleQuoted << source.vendor;
    }
    out << YAML::EndMap;
  }
  if (manifest.sources.size() != 1) out << YAML::EndSeq;
  out << YAML::Key << "kernel" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "package" << YAML::Value << YAML::DoubleQuoted << manifest.kernel.package;
  if (manifest.kernel.version) {
    out << YAML::Key << "version" << YAML::Value << YAML::DoubleQuoted << *manifest.kernel.version;
  }
  out << YAML::EndMap;
  if (manifest.module_sources.empty()) {
    names_of("modules", manifest.modules);
  } else {
    out << YAML::Key << "modules" << YAML::Value << YAML::BeginSeq;
    for (const auto& name : manifest.modules) {
      const auto source = manifest.module_sources.find(name);
      if (source == manifest.module_sources.end()) {
        out << name;
        continue;
      }
      out << YAML::Flow << YAML::BeginMap << YAML::Key << "name" << YAML::Value << name;
      if (!source->second.dkms.empty()) {
        out << YAML::Key << "dkms" << YAML::Value << source->second.dkms;
      } else if (source->second.file.empty()) {
        out << YAML::Key << "package" << YAML::Value << source->second.package;
      } else {
        out << YAML::Key << "file" << YAML::Value << YAML::DoubleQuoted << source->second.file
            << YAML::Key << "sha256" << YAML::Value << source->second.digest->hex();
      }
      out << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  if (!manifest.module_signer.empty()) {
    out << YAML::Key << "module_signer" << YAML::Value << YAML::DoubleQuoted
        << manifest.module_signer;
  }
  names_of("packages", manifest.packages);
  if (!manifest.constraints.empty()) {
    out << YAML::Key << "constraints" << YAML::Value << YAML::BeginMap;
    for (const auto& [package, version] : manifest.constraints) {
      out << YAML::Key << package << YAML::Value << YAML::DoubleQuoted << version;
    }
    out << YAML::EndMap;
  }
  names_of("provides", manifest.provides);
  names_of("reviewed", manifest.reviewed);
  if (!manifest.accept_scripts.empty()) {
    out << YAML::Key << "accept_scripts" << YAML::Value << YAML::BeginSeq;
    for (const auto& entry : manifest.accept_scripts) emit(out, entry);
    out << YAML::EndSeq;
  }
  if (!manifest.accept_secrets.empty()) {
    out << YAML::Key << "accept_secrets" << YAML::Value << YAML::BeginSeq;
    for (const auto& entry : manifest.accept_secrets) emit(out, entry);
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
  if (!manifest.folders.empty()) {
    out << YAML::Key << "folders" << YAML::Value << YAML::BeginSeq;
    for (const auto& folder : manifest.folders) emit(out, folder);
    out << YAML::EndSeq;
  }
  if (!manifest.files.empty()) {
    out << YAML::Key << "files" << YAML::Value << YAML::BeginSeq;
    for (const auto& file : manifest.files) {
      out << YAML::BeginMap << YAML::Key << "path" << YAML::Value << YAML::DoubleQuoted << file.path
          << YAML::Key << "mode" << YAML::Value << YAML::DoubleQuoted << print_mode(file.mode)
          << YAML::Key << "content" << YAML::Value << YAML::DoubleQuoted << file.content
          << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  if (!manifest.services.empty()) {
    out << YAML::Key << "services" << YAML::Value;
    emit(out, manifest.services);
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
  out << YAML::Key << "release" << YAML::Value << YAML::BeginMap;
  if (manifest.release.version) {
    out << YAML::Key << "version" << YAML::Value << *manifest.release.version;
  }
  out << YAML::Key << "channel" << YAML::Value << YAML::DoubleQuoted
      << manifest.release.channel.string() << YAML::Key << "replaces_from" << YAML::Value
      << manifest.release.replaces_from << YAML::Key << "valid_for" << YAML::Value
      << std::to_string(manifest.release.valid_for.count() / 86400) + "d" << YAML::EndMap;
  out << YAML::EndMap << YAML::Newline;
  return out.c_str();
}

}  // namespace weir::manifests
