#include "builder/lock/explain.h"

#include <algorithm>

#include "manifests/base/closest_names.h"

namespace weir::builder {
namespace {

class Explainer {
 public:
  Explainer(const PackagePool& pool, const Solution& solution,
            const manifests::ImageManifest& manifest)
      : pool_(pool), solution_(solution), manifest_(manifest) {}

  Explanation run(const std::string& package) const {
    Explanation out{.package = package};
    const auto& versions = pool_.named(package);
    out.stands_in = std::find(manifest_.provides.begin(), manifest_.provides.end(), package) !=
                    manifest_.provides.end();
    const auto chosen = std::find_if(versions.begin(), versions.end(),
                                     [this](Id id) { return solution_.packages.contains(id); });
    if (chosen != versions.end()) {
      out.in_image = true;
      out.version = pool_.version(*chosen);
      out.suite = pool_.index_of(*chosen).suite();
      tell_way(*chosen, out);
    } else if (!out.stands_in) {
      if (versions.empty()) out.provided_by = providers(package);
      out.unknown = versions.empty() && out.provided_by.empty();
      if (out.unknown) out.hint = suggestion(package, pool_.names());
      if (out.provided_by.empty()) out.could_satisfy = needs_of_others(versions);
    }
    out.other_versions = others(versions, chosen == versions.end() ? 0 : *chosen);
    return out;
  }

 private:
  [[nodiscard]] std::string name(Id id) const { return std::string(pool_.name(id)); }
  [[nodiscard]] NotTaken not_taken(Id id, std::string because) const {
    return {name(id), std::string(pool_.version(id)), pool_.index_of(id).suite(),
            std::move(because)};
  }

  void tell_way(Id package, Explanation& out) const {
    std::vector<PackageNeed> way;
    Reason reason = solution_.reasons.at(package);
    while (reason.by != 0) {
      way.push_back(need(reason.by, reason.relation, package));
      package = reason.by;
      reason = solution_.reasons.at(package);
    }
    std::reverse(way.begin(), way.end());
    out.way = std::move(way);
    out.root = package == solution_.kernel ? "kernel" : "asked for";
  }

  [[nodiscard]] PackageNeed need(Id by, Id relation, Id taken) const {
    PackageNeed out{.by = name(by), .relation = pool_.print(relation), .taken = name(taken)};
    std::set<Id> told = {pool_.solvable(taken)->name};
    for (const Id alternative : pool_.alternatives(relation)) {
      std::vector<Id> others = pool_.satisfying(alternative);
      std::sort(others.begin(), others.end(), [&](Id a, Id b) {
        return name(a) != name(b) ? name(a) < name(b) : pool_.newer(a, b);
      });
      for (const Id other : others) {
        if (pool_.is_stand_in(other) || solution_.packages.contains(other)) continue;
        if (!told.insert(pool_.solvable(other)->name).second) continue;
        out.instead_of.push_back(not_taken(other, why_not(by, relation, other, taken)));
      }
    }
    return out;
  }

  // Which alternative a package satisfies first.
  [[nodiscard]] std::size_t place(Id relation, Id package) const {
    const auto alternatives = pool_.alternatives(relation);
    for (std::size_t i = 0; i < alternatives.size(); ++i) {
      const auto satisfying = pool_.satisfying(alternatives[i]);
      if (std::find(satisfying.begin(), satisfying.end(), package) != satisfying.end()) return i;
    }
    return alternatives.size();
  }

  [[nodiscard]] std::string why_not(Id by, Id relation, Id other, Id taken) const {
    for (const Rejected& each : solution_.choice.rejected) {
      if (each.by != by || each.relation != relation || each.package != other) continue;
      if (each.other == 0) return "what it needs itself cannot be had";
      if (pool_.name(each.other) == pool_.name(other)) return "another version of it is in";
      return pool_.is_stand_in(each.other) ? "conflicts with what Weir stands in for"
                                           : "conflicts with " + name(each.other);
    }
    const std::size_t mine = place(relation, other), its = place(relation, taken);
    if (mine > its) return "a later alternative";
    if (mine < its) {
      return solution_.as_apt ? name(taken) + " is in anyway"
                              : "does not fit the rest of the image";
    }
    const Id wanted = pool_.name_in(pool_.alternatives(relation)[mine]);
    if (pool_.solvable(taken)->name == wanted) return "only provides that name";
    return "provides that name too, and comes after " + name(taken);
  }

  // Every package that satisfies a name.
  [[nodiscard]] std::vector<Id> named_by(const std::string& package) const {
    const Id id = pool_str2id(pool_.get(), package.c_str(), 0);
    return id == 0 ? std::vector<Id>() : pool_.satisfying(id);
  }

  [[nodiscard]] std::vector<NotTaken> providers(const std::string& package) const {
    std::vector<Id> all = named_by(package);
    std::erase_if(all, [this](Id id) { return pool_.is_stand_in(id); });
    const auto is_in = [this](Id id) { return solution_.packages.contains(id); };
    std::sort(all.begin(), all.end(), [&](Id a, Id b) {
      if (is_in(a) != is_in(b)) return is_in(a);
      return name(a) != name(b) ? name(a) < name(b) : pool_.newer(a, b);
    });
    std::vector<NotTaken> out;
    for (const Id id : all) {
      const bool told = std::any_of(out.begin(), out.end(),
                                    [&](const NotTaken& one) { return one.package == name(id); });
      if (!told)
        out.push_back(not_taken(id, is_in(id) ? "is in the image" : "is not in the image"));
    }
    return out;
  }

  // Which relations of the image one of `versions` could satisfy, and who does.
  [[nodiscard]] std::vector<PackageNeed> needs_of_others(const std::vector<Id>& versions) const {
    std::vector<PackageNeed> out;
    for (const Id by : solution_.packages) {
      for (const Id relation : pool_.requirements(by)) {
        const auto all = pool_.satisfying(relation);
        const auto could = std::find_if(all.begin(), all.end(), [&](Id id) {
          return std::find(versions.begin(), versions.end(), id) != versions.end();
        });
        const auto does = std::find_if(all.begin(), all.end(), [this](Id id) {
          return solution_.packages.contains(id) || pool_.is_stand_in(id);
        });
        if (could == all.end() || does == all.end()) continue;
        if (pool_.is_stand_in(*does)) {
          out.push_back({name(by), pool_.print(relation), "Weir stands in for it", {}});
        } else {
          out.push_back({name(by),
                         pool_.print(relation),
                         name(*does),
                         {not_taken(*could, why_not(by, relation, *could, *does))}});
        }
      }
    }
    std::sort(out.begin(), out.end(),
              [](const PackageNeed& a, const PackageNeed& b) { return a.by < b.by; });
    return out;
  }

  [[nodiscard]] std::vector<NotTaken> others(const std::vector<Id>& versions, Id chosen) const {
    std::vector<Id> sorted = versions;
    std::sort(sorted.begin(), sorted.end(), [&](Id a, Id b) { return pool_.newer(a, b); });
    std::vector<NotTaken> out;
    for (const Id id : sorted) {
      if (id == chosen) continue;
      if (chosen == 0) {
        out.push_back(not_taken(id, "the package is not in the image"));
      } else if (pool_.version(id) == pool_.version(chosen)) {
        continue;  // the same package from another suite
      } else if (!pool_.may_be_chosen(id)) {
        out.push_back(not_taken(id, manifest_.constraints.contains(name(id))
                                        ? "ruled out by constraints." + name(id)
                                        : "the lock keeps another version"));
      } else if (pool_.newer(chosen, id)) {
        out.push_back(not_taken(id, "older"));
      } else if (pool_.index_of(id).not_automatic()) {
        out.push_back(not_taken(id, "its suite serves only pins and what no other has"));
      } else {
        out.push_back(not_taken(id, "does not fit the rest of the image"));
      }
    }
    return out;
  }

  const PackagePool& pool_;
  const Solution& solution_;
  const manifests::ImageManifest& manifest_;
};

}  // namespace

Explanation explain(const PackagePool& pool, const Solution& solution,
                    const manifests::ImageManifest& manifest, const std::string& package) {
  return Explainer(pool, solution, manifest).run(package);
}

}  // namespace weir::builder
