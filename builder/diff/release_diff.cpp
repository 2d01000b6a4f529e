#include "builder/diff/release_diff.h"

#include <algorithm>
#include <compare>
#include <set>

#include "builder/diff/release_risk.h"
#include "builder/diff/release_settings.h"
#include "builder/packages/debian_version.h"

namespace weir::builder {
namespace {

using manifests::Release;

template <class T>
const T* named(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

template <class T>
std::set<std::string> names_of(const std::vector<T>& a, const std::vector<T>& b) {
  std::set<std::string> out;
  for (const auto* list : {&a, &b}) {
    for (const T& item : *list) out.insert(item.name);
  }
  return out;
}

// `same`: whether equal versions also have equal bytes.
Change change_of(const std::string* from, const std::string* to, bool same) {
  if (from == nullptr) return Change::added;
  if (to == nullptr) return Change::removed;
  const auto order = compare_versions(*from, *to);
  if (std::is_lt(order)) return Change::upgraded;
  if (std::is_gt(order)) return Change::downgraded;
  return same ? Change::unchanged : Change::rebuilt;
}

KernelChange kernel_of(const Release& from, const Release& to) {
  const auto &a = from.kernel, &b = to.kernel;
  return {change_of(&a.version, &b.version, a.image == b.image && a.release == b.release),
          a.package,
          b.package,
          a.version,
          b.version,
          a.release,
          b.release,
          a.build_id,
          b.build_id};
}

std::string why_of(const ReleaseFacts& facts, const std::string& name) {
  if (!facts.lock) return {};
  const auto* locked = named(facts.lock->packages, name);
  return locked == nullptr ? std::string() : locked->why;
}

// Versions of one package in both releases. Its layer's digest says whether the bytes are the same.
VersionChange package_change(const Release& from, const Release& to, const std::string& name) {
  const auto *a = named(from.packages, name), *b = named(to.packages, name);
  const auto *x = named(from.layers, name), *y = named(to.layers, name);
  const bool same = x != nullptr && y != nullptr && x->content_digest == y->content_digest;
  return {name, change_of(a ? &a->version : nullptr, b ? &b->version : nullptr, same),
          a ? a->version : "", b ? b->version : ""};
}

void compare_packages(const ReleaseFacts& from, const ReleaseFacts& to, ReleaseDiff& out) {
  for (const auto& name : names_of(from.release.packages, to.release.packages)) {
    PackageChange change{package_change(from.release, to.release, name), why_of(to, name)};
    if (change.version.change == Change::unchanged) {
      ++out.packages_unchanged;
      continue;
    }
    if (change.why.empty()) change.why = why_of(from, name);
    if (const auto* layer = named(from.release.layers, name)) {
      change.size_from = layer->blob.size.value;
    }
    if (const auto* layer = named(to.release.layers, name)) change.size_to = layer->blob.size.value;
    out.packages.push_back(std::move(change));
  }
  for (const auto& name : names_of(from.release.tools, to.release.tools)) {
    out.tools.push_back(package_change(from.release, to.release, name));
  }
}

// How an image has a module.
struct Having {
  bool there = false, built_in = false;
  std::string version;  ///< for people
  std::optional<Digest> digest;
};

Having having(const ReleaseFacts& facts, const std::string& name) {
  if (const auto* module = named(facts.release.modules, name)) {
    std::string version = module->version;
    if (!module->srcversion.empty()) {
      version += (version.empty() ? "srcversion " : ", srcversion ") + module->srcversion;
    }
    if (version.empty()) version = "build " + module->build_id.substr(0, 12);
    if (!module->pinned) version = "needed by another";
    return {true, false, version, module->digest};
  }
  for (const auto& [path, entry] : facts.entries) {
    if (module_of(path) == name) return {true, false, "needed by another", entry.digest};
  }
  // Building finds every pinned module either as a file or in the kernel.
  if (facts.manifest) {
    const auto& pinned = facts.manifest->modules;
    if (std::find(pinned.begin(), pinned.end(), name) != pinned.end()) {
      return {true, true, "built in", std::nullopt};
    }
  }
  return {};
}

Change module_change(const Having& a, const Having& b) {
  if (!a.there) return Change::added;
  if (!b.there) return Change::removed;
  if (a.built_in != b.built_in) return b.built_in ? Change::now_built_in : Change::now_module;
  return a.digest == b.digest ? Change::unchanged : Change::content;
}

std::vector<VersionChange> compare_modules(const ReleaseFacts& from, const ReleaseFacts& to) {
  std::set<std::string> names;
  for (const auto* facts : {&from, &to}) {
    for (const auto& module : facts->release.modules) names.insert(module.name);
    for (const auto& [path, entry] : facts->entries) names.insert(module_of(path));
    if (facts->manifest) {
      names.insert(facts->manifest->modules.begin(), facts->manifest->modules.end());
    }
  }
  names.erase("");
  std::vector<VersionChange> out;
  for (const auto& name : names) {
    const Having a = having(from, name), b = having(to, name);
    out.push_back({name, module_change(a, b), a.version, b.version});
  }
  return out;
}

Change file_change(const ImageEntry& a, const ImageEntry& b) {
  if (a.entry.kind != b.entry.kind) return Change::kind;
  if (a.digest != b.digest) return Change::content;
  return a.entry == b.entry ? Change::unchanged : Change::attributes;
}

std::vector<FileChange> compare_files(const ImageEntries& from, const ImageEntries& to) {
  std::vector<FileChange> out;
  for (const auto& [path, entry] : from) {
    const auto found = to.find(path);
    if (found == to.end()) {
      out.push_back({"/" + path, Change::removed, entry.layer, entry.size, 0});
      continue;
    }
    const Change change = file_change(entry, found->second);
    if (change == Change::unchanged) continue;
    out.push_back({"/" + path, change, found->second.layer, entry.size, found->second.size});
  }
  for (const auto& [path, entry] : to) {
    if (!from.contains(path)) {
      out.push_back({"/" + path, Change::added, entry.layer, 0, entry.size});
    }
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return out;
}

std::vector<SizeChange> sizes_of(const ReleaseFacts& from, const ReleaseFacts& to) {
  std::vector<SizeChange> out = {{"kernel"}, {"initramfs"}, {"initramfs unpacked"}, {"files"}};
  const auto fill = [&](const ReleaseFacts& facts, std::uint64_t SizeChange::*side) {
    out[0].*side = facts.release.kernel.image.size.value;
    for (const auto& layer : facts.release.layers) {
      out[1].*side += layer.blob.size.value;
      out[2].*side += layer.content_size.value;
    }
    out[3].*side = static_cast<std::uint64_t>(std::count_if(
        facts.entries.begin(), facts.entries.end(),
        [](const auto& entry) { return entry.second.entry.kind == EntryKind::file; }));
  };
  fill(from, &SizeChange::from);
  fill(to, &SizeChange::to);
  return out;
}

Travel travel_of(const Release& from, const Release& to) {
  std::set<Digest> there = {from.kernel.image.digest};
  for (const auto& layer : from.layers) there.insert(layer.blob.digest);
  Travel out;
  std::set<Digest> seen;
  const auto visit = [&](const manifests::Blob& blob, const std::string& name) {
    if (!seen.insert(blob.digest).second) return;
    ++out.all_blobs;
    out.whole += blob.size.value;
    if (there.contains(blob.digest)) return;
    ++out.blobs;
    out.bytes += blob.size.value;
    out.names.push_back(name);
  };
  visit(to.kernel.image, "kernel");
  for (const auto& layer : to.layers) visit(layer.blob, layer.name);
  return out;
}

}  // namespace

std::string_view name_of(Change change) {
  switch (change) {
    case Change::unchanged:
      return "unchanged";
    case Change::added:
      return "added";
    case Change::removed:
      return "removed";
    case Change::upgraded:
      return "upgraded";
    case Change::downgraded:
      return "downgraded";
    case Change::rebuilt:
      return "rebuilt";
    case Change::now_built_in:
      return "now built in";
    case Change::now_module:
      return "now a module";
    case Change::content:
      return "content";
    case Change::attributes:
      return "attributes";
    case Change::kind:
      return "kind";
  }
  return "";
}

std::string_view name_of(RiskLevel level) {
  switch (level) {
    case RiskLevel::high:
      return "high";
    case RiskLevel::medium:
      return "medium";
    case RiskLevel::low:
      return "low";
  }
  return "";
}

ReleaseDiff compare(const ReleaseFacts& from, const ReleaseFacts& to) {
  ReleaseDiff out{.name_from = from.release.name.string(),
                  .name_to = to.release.name.string(),
                  .digest_from = from.digest,
                  .digest_to = to.digest,
                  .kernel = kernel_of(from.release, to.release),
                  .packages = {},
                  .packages_unchanged = 0,
                  .modules = compare_modules(from, to),
                  .tools = {},
                  .files = compare_files(from.entries, to.entries),
                  .settings = {},
                  .sizes = sizes_of(from, to),
                  .travel = travel_of(from.release, to.release),
                  .risks = {}};
  compare_packages(from, to, out);
  out.settings = compare_settings(from, to, out.files);
  out.risks = risks_of(out, from, to);
  return out;
}

}  // namespace weir::builder
