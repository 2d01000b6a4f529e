#include "builder/lock/stand_ins.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "builder/packages/control_file.h"
#include "builder/packages/debian_version.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

using Names = std::set<std::string, std::less<>>;

// The names of "a (= 1), b | c, d:any"; with `plain`, those without a version.
void add_names(std::string_view relations, bool plain, Names& out) {
  for (const std::string_view each : words_of(relations, ",|")) {
    const bool versioned = each.find('(') != std::string_view::npos;
    if (versioned && plain) continue;
    const std::string_view name = trimmed(each, " \t\r\n");
    out.emplace(name.substr(0, name.find_first_of(" (:\t\n")));
  }
}

struct Relations {
  Names provides, conflicts;
};

// The index's text is of one paragraph a package, and its views lie in it.
std::optional<Stanza> stanza_of(const IndexedPackage& package, const PackageIndex& index) {
  const std::string_view text = index.text();
  const auto at = static_cast<std::size_t>(package.name.data() - text.data());
  if (at >= text.size()) return std::nullopt;
  const auto before = text.rfind("\n\n", at);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 2;
  auto stanza = StanzaReader(text.substr(begin, text.find("\n\n", at) - begin)).next();
  if (!stanza) return std::nullopt;
  return *stanza;
}

// Of the version that apt would take.
Relations relations_of(const std::string& name, const std::vector<PackageIndex>& indices) {
  const IndexedPackage* best = nullptr;
  const PackageIndex* of = nullptr;
  for (const PackageIndex& index : indices) {
    for (auto [at, end] = index.named(name); at != end; ++at) {
      const bool automatic = !index.not_automatic();
      const bool better =
          best == nullptr || (automatic && of->not_automatic()) ||
          (automatic == !of->not_automatic() &&
           compare_versions(std::string(best->version), std::string(at->version)) < 0);
      if (!better) continue;
      best = at;
      of = &index;
    }
  }
  Relations out;
  if (best == nullptr) return out;
  const auto stanza = stanza_of(*best, *of);
  if (!stanza) return out;
  add_names(stanza->find("Provides").value_or(""), false, out.provides);
  for (const char* field : {"Conflicts", "Breaks"}) {
    add_names(stanza->find(field).value_or(""), true, out.conflicts);
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> yield_to_packages(const manifests::ImageManifest& written,
                                                   const std::vector<PackageIndex>& indices,
                                                   manifests::ImageManifest& merged) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < written.packages.size(); ++i) {
    const std::string& package = written.packages[i];
    const Relations relations = relations_of(package, indices);
    for (const std::string& name : written.provides) {
      if (!relations.conflicts.contains(name) || name == package) continue;
      return fail(Errc::invalid_input, "packages[" + std::to_string(i) + "]: " + package +
                                           " conflicts with " + name +
                                           ", which Weir is to stand in for (provides): leave one "
                                           "of the two out");
    }
    std::erase_if(merged.provides, [&](const std::string& name) {
      const bool own = std::find(written.provides.begin(), written.provides.end(), name) !=
                       written.provides.end();
      const bool provides = relations.provides.contains(name);
      if (own || (!provides && !relations.conflicts.contains(name))) return false;
      out.push_back("reviewed: Weir does not stand in for " + name + ", which " + package +
                    (provides ? ", asked for in packages, provides"
                              : ", asked for in packages, conflicts with"));
      return true;
    });
  }
  return out;
}

}  // namespace weir::builder
