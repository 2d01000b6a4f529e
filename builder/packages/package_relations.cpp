#include "builder/packages/package_relations.h"

#include <algorithm>
#include <optional>
#include <set>

#include "builder/packages/debian_version.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const auto end = text.find(separator);
    if (const auto part = trimmed(text.substr(0, end)); !part.empty()) out.push_back(part);
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

/// "name:any (>= version)".
struct Relation {
  std::string_view name, comparison, version;  // the last two empty: any version
};

std::optional<Relation> parse_relation(std::string_view text) {
  Relation out;
  const auto end = std::min(text.find_first_of(" \t\n("), text.size());
  out.name = text.substr(0, end);
  out.name = out.name.substr(0, out.name.find(':'));
  text = trimmed(text.substr(end));
  if (out.name.empty()) return std::nullopt;
  if (text.empty()) return out;
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = trimmed(text.substr(1, text.size() - 2));
  const auto digits = std::min(text.find_first_not_of("<>="), text.size());
  out.comparison = text.substr(0, digits);
  out.version = trimmed(text.substr(digits));
  if (out.comparison.empty() || out.version.empty()) return std::nullopt;
  return out;
}

bool satisfies(std::string_view version, const Relation& wanted) {
  if (wanted.comparison.empty()) return true;
  const auto order = compare_versions(std::string(version), std::string(wanted.version));
  if (wanted.comparison == "=") return std::is_eq(order);
  if (wanted.comparison == "<<") return std::is_lt(order);
  if (wanted.comparison == ">>") return std::is_gt(order);
  // "<" and ">" are the older spelling of "<=" and ">=".
  return wanted.comparison.starts_with('<') ? std::is_lteq(order) : std::is_gteq(order);
}

/// The packages of the image, and what they provide.
class Image {
 public:
  explicit Image(const std::vector<manifests::LockedPackage>& packages) {
    for (const auto& package : packages) versions_[package.name] = package.version;
  }

  Status provide(const std::string& package, std::string_view list) {
    for (const std::string_view item : split(list, ',')) {
      const auto relation = parse_relation(item);
      if (!relation) return refuse(package, item);
      provided_[relation->name].push_back({package, relation->version});
    }
    return {};
  }

  // Who satisfies "a (>= 1) | b" for `package`.
  [[nodiscard]] Result<std::vector<std::string>> satisfying(const std::string& package,
                                                            std::string_view clause) const {
    std::vector<std::string> out;
    for (const std::string_view item : split(clause, '|')) {
      const auto wanted = parse_relation(item);
      if (!wanted) return refuse(package, item);
      if (out.empty()) out = satisfying(*wanted);
    }
    return out;
  }

 private:
  struct Provided {
    std::string by;
    std::string_view version;  // empty: none is stated
  };

  static tl::unexpected<Error> refuse(const std::string& package, std::string_view item) {
    return fail(Errc::invalid_input, "package " + package + ": control: '" + std::string(item) +
                                         "' is not a relation to a package");
  }

  [[nodiscard]] std::vector<std::string> satisfying(const Relation& wanted) const {
    const auto real = versions_.find(wanted.name);
    if (real != versions_.end() && satisfies(real->second, wanted)) return {real->first};
    std::vector<std::string> out;
    const auto provided = provided_.find(wanted.name);
    if (provided == provided_.end()) return out;
    for (const Provided& each : provided->second) {
      // Policy 7.5: only a provision with a version satisfies a relation with one.
      const bool fits =
          wanted.comparison.empty() || (!each.version.empty() && satisfies(each.version, wanted));
      if (fits) out.push_back(each.by);
    }
    return out;
  }

  std::map<std::string, std::string, std::less<>> versions_;
  std::map<std::string_view, std::vector<Provided>> provided_;
};

}  // namespace

Result<std::map<std::string, std::vector<std::string>>> needs_among(
    const std::vector<manifests::LockedPackage>& packages, const Declarations& declared) {
  Image image(packages);
  for (const auto& [name, said] : declared) TRY(image.provide(name, said.provides));
  std::map<std::string, std::vector<std::string>> out;
  for (const auto& package : packages) {
    std::set<std::string> needs;
    if (const auto said = declared.find(package.name); said != declared.end()) {
      for (const std::string_view clause : split(said->second.depends, ',')) {
        TRY_ASSIGN(const auto found, image.satisfying(package.name, clause));
        needs.insert(found.begin(), found.end());
      }
    }
    needs.erase(package.name);
    out.emplace(package.name, std::vector<std::string>(needs.begin(), needs.end()));
  }
  return out;
}

}  // namespace weir::builder
