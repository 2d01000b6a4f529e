#include "builder/diff/release_settings.h"

#include <algorithm>
#include <map>
#include <set>

namespace weir::builder {
namespace {

using Settings = std::map<std::string, std::string>;

template <class List, class Text>
std::string joined(const List& items, Text text) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + text(item);
  return out;
}

std::string plain(const std::string& text) {
  return text;
}

std::string octal(std::uint32_t mode) {
  std::string out;
  for (int shift = 9; shift >= 0; shift -= 3) {
    out += static_cast<char>('0' + (mode >> shift & 7));
  }
  return out;
}

// One line a setting, in the words of the image manifest.
void add_manifest(const manifests::ImageManifest& manifest, Settings& out) {
  out["kernel.package"] = manifest.kernel.package;
  if (manifest.kernel.version) out["kernel.version"] = *manifest.kernel.version;
  out["modules"] = joined(manifest.modules, [&](const std::string& name) {
    const auto source = manifest.module_sources.find(name);
    if (source == manifest.module_sources.end()) return name;
    return source->second.digest
               ? name + " (file " + source->second.digest->hex().substr(0, 12) + ")"
               : name + " (package " + source->second.package + ")";
  });
  out["packages"] = joined(manifest.packages, plain);
  for (const auto& [package, pattern] : manifest.constraints) {
    out["constraints[" + package + "]"] = pattern;
  }
  for (const auto& script : manifest.accept_scripts) {
    out["accept_scripts[" + script.package + " " + script.script + "]"] =
        joined(script.digests, [](const Digest& digest) { return digest.hex().substr(0, 12); });
  }
  for (const auto& secret : manifest.accept_secrets) {
    out["accept_secrets[" + secret.path + "]"] =
        joined(secret.digests, [](const Digest& digest) { return digest.hex().substr(0, 12); });
  }
  for (const auto& user : manifest.users) {
    out["users[" + user.name + "]"] = std::to_string(user.id);
  }
  for (const auto& file : manifest.files) {
    out["files[" + file.path + "]"] =
        "mode " + octal(file.mode) + ", " + Digest::of(as_bytes(file.content)).hex().substr(0, 12);
  }
  out["documentation"] = manifest.documentation ? "true" : "false";
}

Settings settings_of(const ReleaseFacts& facts, bool with_manifest) {
  Settings out;
  out["command_line"] = facts.release.command_line;
  out["provides"] = joined(facts.release.provides, plain);
  out["suites"] = joined(facts.release.sources, [](const auto& source) { return source.suite; });
  out["builder_version"] = facts.release.builder_version;
  if (const auto& terms = facts.release.terms) {
    out["release.version"] = std::to_string(terms->version);
    out["release.channel"] = terms->channel.string();
    out["release.replaces_from"] = std::to_string(terms->replaces_from);
    out["release.expires"] = terms->expires.string();
  }
  if (with_manifest) add_manifest(*facts.manifest, out);
  return out;
}

std::string value_in(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

}  // namespace

std::vector<SettingChange> compare_settings(const ReleaseFacts& from, const ReleaseFacts& to,
                                            const std::vector<FileChange>& files) {
  const bool with_manifest = from.manifest && to.manifest;
  const Settings a = settings_of(from, with_manifest), b = settings_of(to, with_manifest);
  std::set<std::string> names;
  for (const auto* side : {&a, &b}) {
    for (const auto& [name, value] : *side) names.insert(name);
  }
  std::vector<SettingChange> out;
  for (const auto& name : names) {
    std::string x = value_in(a, name), y = value_in(b, name);
    if (x != y) out.push_back({name, std::move(x), std::move(y)});
  }
  for (const auto& file : files) {
    if (!file.path.starts_with("/etc/")) continue;
    const std::string what(name_of(file.change));
    out.push_back({file.path, file.change == Change::added ? "" : "of " + file.layer, what});
  }
  return out;
}

}  // namespace weir::builder
