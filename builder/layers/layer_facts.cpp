#include "builder/layers/layer_facts.h"

#include <algorithm>
#include <utility>

#include "builder/kernel/kernel_module.h"
#include "manifests/base/printable.h"
#include "manifests/documents/release_fields.h"

namespace weir::builder {
namespace {

using manifests::JsonFields;
using nlohmann::json;
using nlohmann::ordered_json;

Result<const json*> read_map(JsonFields& fields, std::string_view key, const json& parent) {
  TRY(fields.object(key));
  return &parent.at(std::string(key));
}

ordered_json to_json(const ListedEntry& entry) {
  return {static_cast<int>(entry.kind), entry.mode, entry.uid, entry.gid, entry.target};
}

Result<ListedEntry> read_entry(const std::string& path, const json& value) {
  if (!value.is_array() || value.size() != 5 || !value[4].is_string() ||
      !value[0].is_number_unsigned() || value[0] > 4U || !value[1].is_number_unsigned() ||
      !value[2].is_number_unsigned() || !value[3].is_number_unsigned()) {
    return fail(Errc::invalid_input, "entries." + path + ": malformed");
  }
  return ListedEntry{static_cast<EntryKind>(value[0].get<int>()), value[1].get<std::uint32_t>(),
                     value[2].get<std::uint32_t>(), value[3].get<std::uint32_t>(),
                     value[4].get<std::string>()};
}

ordered_json to_json(const images::Elf& elf) {
  return {{"kind", static_cast<unsigned>(elf.kind)},
          {"machine", elf.machine},
          {"interpreter", elf.interpreter},
          {"soname", elf.soname},
          {"needed", elf.needed},
          {"run_path", elf.run_path},
          {"build_id", elf.build_id},
          {"version_needs", elf.version_needs},
          {"versions", elf.versions}};
}

Result<images::Elf> read_elf(const std::string& path, const json& value) {
  TRY_ASSIGN(JsonFields fields, JsonFields::open(value, "programs." + path));
  images::Elf out;
  TRY_ASSIGN(const std::uint64_t kind, fields.natural("kind"));
  TRY_ASSIGN(const std::uint64_t machine, fields.natural("machine"));
  TRY_ASSIGN(out.interpreter, fields.string("interpreter"));
  TRY_ASSIGN(out.soname, fields.string("soname"));
  TRY_ASSIGN(out.needed, strings(fields, "needed"));
  TRY_ASSIGN(out.run_path, fields.string("run_path"));
  TRY_ASSIGN(out.build_id, fields.string("build_id"));
  TRY_ASSIGN(const json* needs, read_map(fields, "version_needs", value));
  TRY_ASSIGN(JsonFields libraries, JsonFields::open(*needs, "version_needs"));
  for (const auto& [library, _] : needs->items()) {
    TRY_ASSIGN(const auto names, strings(libraries, library));
    out.version_needs[library].insert(names.begin(), names.end());
  }
  TRY_ASSIGN(const auto versions, strings(fields, "versions"));
  out.versions.insert(versions.begin(), versions.end());
  TRY(fields.finish());
  if (kind > 3 || machine > UINT16_MAX) return fields.refuse("kind", "unknown");
  out.kind = static_cast<images::ElfKind>(kind);
  out.machine = static_cast<std::uint16_t>(machine);
  return out;
}

ordered_json to_json(const AlternativeLink& link) {
  return {{"link", link.link}, {"name", link.name}, {"path", link.path}};
}

Result<AlternativeLink> read_link(JsonFields& fields) {
  AlternativeLink out;
  TRY_ASSIGN(out.link, fields.string("link"));
  TRY_ASSIGN(out.name, fields.string("name"));
  TRY_ASSIGN(out.path, fields.string("path"));
  return out;
}

ordered_json to_json(const Alternative& choice) {
  ordered_json out = to_json(choice.main);
  out["priority"] = choice.priority;
  out["followers"] = ordered_json::array();
  for (const AlternativeLink& each : choice.followers) out["followers"].push_back(to_json(each));
  return out;
}

Result<Alternative> read_alternative(JsonFields& fields) {
  Alternative out;
  TRY_ASSIGN(out.main, read_link(fields));
  TRY_ASSIGN(const std::int64_t priority, fields.integer("priority"));
  out.priority = static_cast<int>(priority);
  TRY_ASSIGN(out.followers, manifests::objects(fields, "followers", read_link));
  return out;
}

ordered_json to_json(const KernelFacts& facts) {
  ordered_json modules = ordered_json::array();
  for (const auto& module : facts.modules) modules.push_back(to_json(module));
  ordered_json out = to_json(facts.kernel);
  out["modules"] = modules;
  out["load"] = facts.load;
  return out;
}

Result<KernelFacts> read_kernel(JsonFields fields) {
  TRY_ASSIGN(auto kernel, manifests::read_release_kernel(fields));
  TRY_ASSIGN(auto modules, manifests::objects<manifests::ReleaseModule>(
                               fields, "modules", manifests::read_release_module));
  TRY_ASSIGN(auto load, strings(fields, "load"));
  TRY(fields.finish());
  return KernelFacts{std::move(kernel), std::move(modules), std::move(load)};
}

Result<manifests::ReleaseScan> read_scan(JsonFields& fields) {
  TRY_ASSIGN(const json* numbers, fields.array("scan"));
  if (numbers->size() != 3) return fields.refuse("scan", "must hold three numbers");
  for (const json& number : *numbers) {
    if (!number.is_number_unsigned()) return fields.refuse("scan", "must hold three numbers");
  }
  return manifests::ReleaseScan{(*numbers)[0].get<std::uint64_t>(),
                                (*numbers)[1].get<std::uint64_t>(),
                                (*numbers)[2].get<std::uint64_t>()};
}

EntryKind kind_of(const images::Node& node) {
  if (node.is_folder()) return EntryKind::folder;
  if (node.file() != nullptr) return EntryKind::file;
  if (node.is_fifo()) return EntryKind::fifo;
  return node.symlink() != nullptr ? EntryKind::link : EntryKind::device;
}

}  // namespace

ListedEntry listed(const images::Node& node) {
  const images::Symlink* link = node.symlink();
  return {kind_of(node), node.mode, node.uid, node.gid,
          link != nullptr ? link->target : std::string()};
}

std::map<std::string, ListedEntry> list_entries(const images::FileTree& tree) {
  std::map<std::string, ListedEntry> out;
  for (const auto& [path, node] : tree.nodes()) {
    out[path.string()] = listed(node);
  }
  return out;
}

Result<std::map<std::string, images::Elf>> list_programs(const images::FileTree& tree) {
  std::map<std::string, images::Elf> out;
  for (const auto& [path, node] : tree.nodes()) {
    if (node.file() == nullptr || !images::is_elf(*node.file()->content)) continue;
    TRY_ASSIGN_IN(images::Elf elf, images::parse_elf(*node.file()->content), "/" + path.string());
    if (elf.kind == images::ElfKind::program || elf.kind == images::ElfKind::shared) {
      out[path.string()] = std::move(elf);
    }
  }
  return out;
}

std::map<std::string, std::string> list_interpreters(const images::FileTree& tree) {
  constexpr std::size_t kLongestLine = 255;  // BINPRM_BUF_SIZE
  std::map<std::string, std::string> out;
  for (const auto& [path, node] : tree.nodes()) {
    if (node.file() == nullptr || (node.mode & 0111U) == 0) continue;
    const auto& content = *node.file()->content;
    std::string_view line(reinterpret_cast<const char*>(content.data()),
                          std::min(content.size(), kLongestLine));
    line = line.substr(0, line.find('\n'));
    if (!line.starts_with("#!")) continue;
    line.remove_prefix(2);
    std::vector<std::string> words;
    while (!line.empty()) {
      const auto end = std::min(line.find_first_of(" \t"), line.size());
      if (end > 0) words.emplace_back(line.substr(0, end));
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    if (words.empty()) continue;
    std::string interpreter = printable(words.front());
    if (interpreter.ends_with("/env")) {
      const auto name = std::find_if(words.begin() + 1, words.end(), [](const std::string& word) {
        return !word.starts_with('-') && word.find('=') == std::string::npos;
      });
      if (name != words.end()) interpreter += " " + printable(*name);
    }
    out[path.string()] = interpreter;
  }
  return out;
}

bool is_tmpfiles_path(std::string_view path) {
  const std::string_view folder = path.substr(0, std::min(path.rfind('/'), path.size()));
  return (folder == "etc/tmpfiles.d" || folder == "usr/lib/tmpfiles.d") && path.ends_with(".conf");
}

bool is_certificates_path(std::string_view path) {
  if (path == "etc/ca-certificates.conf") return true;
  return path.ends_with(".crt") && (path.starts_with("usr/share/ca-certificates/") ||
                                    path.starts_with("usr/local/share/ca-certificates/"));
}

bool is_loader_path(std::string_view path) {
  if (path == "etc/ld.so.conf") return true;
  return path.starts_with("etc/ld.so.conf.d/") && path.ends_with(".conf");
}

bool is_accounts_path(std::string_view path) {
  return path == "usr/share/base-passwd/passwd.master" ||
         path == "usr/share/base-passwd/group.master";
}

bool is_followed(std::string_view path) {
  return is_accounts_path(path) || is_tmpfiles_path(path) || is_certificates_path(path) ||
         is_loader_path(path);
}

std::map<std::string, std::string> list_followed(const images::FileTree& tree) {
  std::map<std::string, std::string> out;
  for (const auto& [path, node] : tree.nodes()) {
    if (node.file() == nullptr || !is_followed(path.string())) continue;
    const auto& content = *node.file()->content;
    out[path.string()] = {reinterpret_cast<const char*>(content.data()), content.size()};
  }
  return out;
}

std::vector<ModuleFile> list_modules(const images::FileTree& tree) {
  std::vector<ModuleFile> out;
  for (const auto& [path, node] : tree.nodes()) {
    if (node.file() == nullptr || module_name_of(path.string()).empty()) continue;
    const auto& content = *node.file()->content;
    if (!path.is_within("usr/lib/modules") && !images::is_elf(content)) continue;
    out.push_back({path.string(), Digest::of(content)});
  }
  return out;
}

std::string print(const LayerFacts& facts) {
  ordered_json entries = ordered_json::object(), programs = ordered_json::object(),
               scripts = ordered_json::object();
  for (const auto& [path, entry] : facts.entries) entries[path] = to_json(entry);
  for (const auto& [path, elf] : facts.programs) programs[path] = to_json(elf);
  for (const auto& [name, digest] : facts.scripts) scripts[name] = digest.string();
  ordered_json accepted = ordered_json::object();
  for (const auto& file : facts.scan.accepted) accepted[file.path] = file.digest.string();
  ordered_json out = {{"name", facts.layer.name},
                      {"blob", to_json(facts.layer.blob)},
                      {"content_digest", facts.layer.content_digest.string()},
                      {"content_size", facts.layer.content_size.value},
                      {"newest", facts.newest},
                      {"entries", entries},
                      {"programs", programs},
                      {"scripts", scripts},
                      {"conffiles", facts.conffiles},
                      {"scan", {facts.scan.rules, facts.scan.files, facts.scan.bytes}},
                      {"accepted", accepted},
                      {"depends", facts.declared.depends},
                      {"provides", facts.declared.provides},
                      {"licenses", facts.declared.licenses},
                      {"licenses_of", facts.declared.licenses_of}};
  ordered_json modules = ordered_json::object();
  for (const auto& module : facts.modules) modules[module.path] = module.digest.string();
  out["modules"] = modules;
  out["interpreters"] = facts.interpreters;
  ordered_json followed = ordered_json::object();
  for (const auto& [path, text] : facts.followed) followed[path] = base64_of(as_bytes(text));
  out["followed"] = followed;
  out["alternatives"] = ordered_json::array();
  for (const Alternative& each : facts.alternatives) out["alternatives"].push_back(to_json(each));
  out["without"] = facts.without;
  if (facts.kernel) out["kernel"] = to_json(*facts.kernel);
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<LayerFacts> parse_layer_facts(std::string_view text) {
  TRY_ASSIGN(const json document, manifests::parse_json(text));
  TRY_ASSIGN(JsonFields fields, JsonFields::open(document, ""));
  TRY_ASSIGN(std::string name, fields.string("name"));
  TRY_ASSIGN(const manifests::Blob blob, read_blob(fields, "blob"));
  TRY_ASSIGN(const Digest content, fields.digest("content_digest"));
  TRY_ASSIGN(const std::uint64_t size, fields.natural("content_size"));
  LayerFacts out{{std::move(name), blob, content, ByteCount{size}}, 0, {}, {}, {}, {}, {}};
  TRY_ASSIGN(out.newest, fields.integer("newest"));
  TRY_ASSIGN(const json* entries, read_map(fields, "entries", document));
  for (const auto& [path, value] : entries->items()) {
    TRY_ASSIGN(out.entries[path], read_entry(path, value));
  }
  TRY_ASSIGN(const json* programs, read_map(fields, "programs", document));
  for (const auto& [path, value] : programs->items()) {
    TRY_ASSIGN(out.programs[path], read_elf(path, value));
  }
  TRY_ASSIGN(JsonFields scripts, fields.object("scripts"));
  for (const auto& [script, _] : document.at("scripts").items()) {
    TRY_ASSIGN(const Digest digest, scripts.digest(script));
    out.scripts.emplace(script, digest);
  }
  TRY_ASSIGN(const auto conffiles, strings(fields, "conffiles"));
  out.conffiles.insert(conffiles.begin(), conffiles.end());
  TRY_ASSIGN(out.scan, read_scan(fields));
  TRY_ASSIGN(JsonFields accepted, fields.object("accepted"));
  for (const auto& [path, _] : document.at("accepted").items()) {
    TRY_ASSIGN(const Digest digest, accepted.digest(path));
    out.scan.accepted.push_back({path, digest});
  }
  TRY_ASSIGN(out.declared.depends, fields.string("depends"));
  TRY_ASSIGN(out.declared.provides, fields.string("provides"));
  TRY_ASSIGN(out.declared.licenses, fields.string("licenses"));
  TRY_ASSIGN(out.declared.licenses_of, fields.string("licenses_of"));
  TRY_ASSIGN(JsonFields modules, fields.object("modules"));
  for (const auto& [path, _] : document.at("modules").items()) {
    TRY_ASSIGN(const Digest digest, modules.digest(path));
    out.modules.push_back({path, digest});
  }
  TRY_ASSIGN(JsonFields interpreters, fields.object("interpreters"));
  for (const auto& [path, _] : document.at("interpreters").items()) {
    TRY_ASSIGN(out.interpreters[path], interpreters.string(path));
  }
  TRY_ASSIGN(JsonFields followed, fields.object("followed"));
  for (const auto& [path, _] : document.at("followed").items()) {
    TRY_ASSIGN(const std::string encoded, followed.string(path));
    TRY_ASSIGN_IN(out.followed[path], parse_base64(encoded), followed.path_of(path));
  }
  TRY_ASSIGN(out.alternatives, manifests::objects(fields, "alternatives", read_alternative));
  TRY_ASSIGN(out.without, strings(fields, "without"));
  if (fields.has("kernel")) {
    TRY_ASSIGN(JsonFields kernel_fields, fields.object("kernel"));
    TRY_ASSIGN(out.kernel, read_kernel(std::move(kernel_fields)));
  }
  TRY(fields.finish());
  return out;
}

}  // namespace weir::builder
