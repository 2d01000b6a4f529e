#include "builder/diff/release_settings.h"

#include <algorithm>
#include <map>
#include <set>

namespace weir::builder {
namespace {

using Settings = std::map<std::string, std::string>;

struct Known {
  bool manifest = false, lock = false;
};

template <class List, class Text>
std::string joined(const List& items, Text text) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + text(item);
  return out;
}

std::string plain(const std::string& text) {
  return text;
}

std::string short_digests(const std::vector<Digest>& digests) {
  return joined(digests, [](const Digest& digest) { return digest.hex().substr(0, 12); });
}

// A manifest and its reviewed lists may both have an entry of one name.
void add(const std::string& name, const std::string& value, Settings& out) {
  std::string& there = out[name];
  there += (there.empty() ? "" : ", ") + value;
}

std::string described(const manifests::OpenPort& port) {
  return (port.tcp ? "tcp " : "udp ") + std::to_string(port.port) + (port.asked ? " asked" : "");
}

void add_service(const manifests::ImageService& service, Settings& out) {
  const std::string name = "services[" + service.name + "].";
  out[name + "command"] = joined(service.command, plain);
  out[name + "user"] = service.user;
  out[name + "restart"] =
      std::string(manifests::kRestartNames[static_cast<std::size_t>(service.restart)]);
  out[name + "ready"] =
      std::string(manifests::kReadyNames[static_cast<std::size_t>(service.ready.by)]) + " " +
      service.ready.text + joined(service.ready.command, plain) + " within " +
      std::to_string(service.ready.within.count()) + " ms";
  out[name + "after"] = joined(service.after, plain);
  out[name + "runtime_folders"] = joined(service.runtime_folders, plain);
  out[name + "open"] = joined(service.open, described);
  if (service.capabilities) {
    out[name + "capabilities"] =
        service.capabilities->empty() ? "none" : joined(*service.capabilities, plain);
  }
  for (const auto& [variable, value] : service.environment) {
    out[name + "environment[" + variable + "]"] = value;
  }
  for (const auto& file : service.files) {
    out[name + "files[" + file.path + "]"] =
        "mode " + manifests::print_mode(file.mode) +
        (file.owner.empty() ? "" : ", of " + file.owner) +
        (file.node.empty() ? ", " + Digest::of(as_bytes(file.text)).hex().substr(0, 12)
                           : ", the node's " + file.node);
  }
}

// One line a setting, in the words of the image manifest.
void add_manifest(const manifests::ImageManifest& manifest, Settings& out) {
  out["kernel.package"] = manifest.kernel.package;
  if (manifest.kernel.version) out["kernel.version"] = *manifest.kernel.version;
  out["modules"] = joined(manifest.modules, [&](const std::string& name) {
    const auto source = manifest.module_sources.find(name);
    if (source == manifest.module_sources.end()) return name;
    if (!source->second.dkms.empty()) return name + " (dkms " + source->second.dkms + ")";
    return source->second.digest
               ? name + " (file " + source->second.digest->hex().substr(0, 12) + ")"
               : name + " (package " + source->second.package + ")";
  });
  if (!manifest.module_signer.empty()) out["module_signer"] = manifest.module_signer;
  out["packages"] = joined(manifest.packages, plain);
  for (const auto& [package, pattern] : manifest.constraints) {
    out["constraints[" + package + "]"] = pattern;
  }
  for (const auto& secret : manifest.accept_secrets) {
    add("accept_secrets[" + secret.path + "]", short_digests(secret.digests), out);
  }
  for (const auto& user : manifest.users) {
    out["users[" + user.name + "]"] = std::to_string(user.id);
  }
  for (const auto& file : manifest.files) {
    out["files[" + file.path + "]"] = "mode " + manifests::print_mode(file.mode) + ", " +
                                      Digest::of(as_bytes(file.content)).hex().substr(0, 12);
  }
  for (const auto& service : manifest.services) add_service(service, out);
  out["documentation"] = manifest.documentation ? "true" : "false";
}

// What the manifest's reviewed lists and accepted scripts add to it.
void add_lock(const manifests::Lock& lock, Settings& out) {
  for (const auto& script : lock.accept_scripts) {
    add("accept_scripts[" + script.package + " " + script.script + "]",
        short_digests(script.digests), out);
  }
  for (const auto& secret : lock.accept_secrets) {
    add("accept_secrets[" + secret.path + "]", short_digests(secret.digests), out);
  }
  for (const auto& user : lock.users) {
    out["users[" + user.name + "]"] =
        std::to_string(user.id) + ", home " + user.home + ", shell " + user.shell;
  }
  for (const auto& group : lock.groups) {
    out["groups[" + group.name + "]"] = joined(group.members, plain) +
                                        (group.members.empty() ? "" : ", ") +
                                        std::to_string(group.id);
  }
  for (const auto& folder : lock.folders) {
    out["folders[" + folder.path + "]"] = "mode " + manifests::print_mode(folder.mode) + ", " +
                                          std::to_string(folder.user_id) + ":" +
                                          std::to_string(folder.group_id);
  }
}

// `with`: what both sides have.
Settings settings_of(const ReleaseFacts& facts, const Known& with) {
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
  if (with.manifest) add_manifest(*facts.manifest, out);
  if (with.lock) add_lock(*facts.lock, out);
  return out;
}

std::string value_in(const Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::string() : found->second;
}

}  // namespace

std::vector<SettingChange> compare_settings(const ReleaseFacts& from, const ReleaseFacts& to,
                                            const std::vector<FileChange>& files) {
  const Known both{from.manifest && to.manifest, from.lock && to.lock};
  const Settings a = settings_of(from, both), b = settings_of(to, both);
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
