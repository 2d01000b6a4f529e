#include "builder/lock/apt_choice.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>

#include "builder/packages/control_file.h"

namespace weir::builder {
namespace {

// Far more than the closure of a desktop takes; what needs more goes round in circles.
constexpr int kMostSteps = 100'000;
constexpr int kDeepest = 4'000;

// Lower is better.
using Rank = std::tuple<bool, bool, bool, int, Id>;

std::optional<Stanza> paragraph_of(std::string_view text, const IndexedPackage& entry) {
  const auto at = static_cast<std::size_t>(entry.name.data() - text.data());
  const auto before = text.rfind("\n\n", at);
  auto stanza = StanzaReader(text.substr(before == std::string_view::npos ? 0 : before + 2)).next();
  return stanza ? *stanza : std::nullopt;
}

// Debian policy 2.5. apt takes a package without a priority for more than required, and one with an
// unknown priority for extra.
int priority_of(const Stanza& stanza) {
  const auto stated = stanza.find("Priority");
  if (!stated) return 0;
  constexpr std::array<std::string_view, 5> kNames = {"required", "important", "standard",
                                                      "optional", "extra"};
  const auto found = std::find(kNames.begin(), kNames.end(), *stated);
  return found == kNames.end() ? 5 : static_cast<int>(found - kNames.begin()) + 1;
}

bool says_yes(const Stanza& stanza, const char* field) {
  return stanza.find(field).value_or("") == "yes";
}

class Walk {
 public:
  Walk(const PackagePool& pool, const std::set<Id>& stays) : pool_(pool), stays_(stays) {}

  AptChoice run(const std::vector<Id>& roots) {
    for (const Id root : roots) {
      if (in_.contains(root)) continue;
      if (const Id other = in_the_way(root); other != 0) out_.whole = false;
      put_in(root);
    }
    for (const Id root : roots) {
      for (const Id relation : pool_.requirements(root)) {
        if (!satisfy(root, relation, 1)) out_.whole = false;
      }
    }
    out_.packages = marks_.order;
    return std::move(out_);
  }

 private:
  /// What is in, and what that rules out: by whom.
  struct Marks {
    std::vector<Id> order;
    std::vector<std::pair<Id, Id>> ruled_out;
  };

  void put_in(Id package) {
    marks_.order.push_back(package);
    in_.insert(package);
    for (const Id conflict : pool_.conflicts(package)) {
      for (const Id other : pool_.satisfying(conflict)) {
        if (other == package) continue;
        if (ruled_out_.emplace(other, package).second) {
          marks_.ruled_out.emplace_back(other, package);
        }
      }
    }
    names_[pool_.solvable(package)->name] = package;
  }

  void back_to(std::size_t packages, std::size_t ruled_out) {
    for (; marks_.order.size() > packages; marks_.order.pop_back()) {
      in_.erase(marks_.order.back());
      names_.erase(pool_.solvable(marks_.order.back())->name);
    }
    for (; marks_.ruled_out.size() > ruled_out; marks_.ruled_out.pop_back()) {
      ruled_out_.erase(marks_.ruled_out.back().first);
    }
  }

  // The package of the image that `package` cannot be together with, or 0.
  [[nodiscard]] Id in_the_way(Id package) const {
    if (const auto same = names_.find(pool_.solvable(package)->name);
        same != names_.end() && same->second != package) {
      return same->second;
    }
    if (const auto found = ruled_out_.find(package); found != ruled_out_.end()) {
      return found->second;
    }
    for (const Id conflict : pool_.conflicts(package)) {
      for (const Id other : pool_.satisfying(conflict)) {
        if (other != package && (in_.contains(other) || pool_.is_stand_in(other))) return other;
      }
    }
    return 0;
  }

  bool satisfy(Id by, Id relation, int depth) {
    const auto is_in = [this](Id id) { return in_.contains(id) || pool_.is_stand_in(id); };
    const auto possible = pool_.satisfying(relation);
    if (std::any_of(possible.begin(), possible.end(), is_in)) return true;
    if (depth > kDeepest) return false;
    for (const Id package : in_order(relation)) {
      if (++steps_ > kMostSteps) return false;
      if (const Id other = in_the_way(package); other != 0) {
        out_.rejected.push_back({by, relation, package, other});
        continue;
      }
      const std::size_t packages = marks_.order.size(), ruled_out = marks_.ruled_out.size();
      put_in(package);
      if (follow(package, depth)) return true;
      back_to(packages, ruled_out);
      out_.rejected.push_back({by, relation, package, 0});
    }
    return false;
  }

  bool follow(Id package, int depth) {
    for (const Id relation : pool_.requirements(package)) {
      if (!satisfy(package, relation, depth + 1)) return false;
    }
    return true;
  }

  // Who satisfies a relation, the best first.
  std::vector<Id> in_order(Id relation) {
    std::vector<Id> out, others;
    for (const Id alternative : pool_.alternatives(relation)) {
      std::vector<std::pair<Rank, Id>> candidates;
      for (const Id package : pool_.satisfying(alternative)) {
        if (pool_.candidate(pool_.solvable(package)->name) == package) {
          candidates.emplace_back(Rank(), package);
        } else {
          others.push_back(package);
        }
      }
      if (candidates.size() > 1) {
        for (auto& [rank, package] : candidates) {
          rank = rank_of(package, pool_.name_in(alternative));
        }
        std::sort(candidates.begin(), candidates.end());
      }
      for (const auto& [rank, package] : candidates) out.push_back(package);
    }
    std::stable_partition(out.begin(), out.end(), [this](Id id) { return stays_.contains(id); });
    std::stable_sort(others.begin(), others.end(), [this](Id a, Id b) {
      const int x = pool_.solvable(a)->repo->priority, y = pool_.solvable(b)->repo->priority;
      return x != y ? x > y : pool_.newer(a, b);
    });
    out.insert(out.end(), others.begin(), others.end());
    return out;
  }

  [[nodiscard]] Rank rank_of(Id package, Id wanted) const {
    const Id name = pool_.solvable(package)->name;
    const PackageIndex& index = pool_.index_of(package);
    const IndexedPackage* entry = pool_.entry_of(package, index);
    const auto stanza = entry == nullptr ? std::nullopt : paragraph_of(index.text(), *entry);
    if (!stanza) return {name != wanted, true, true, 5, -name};
    return {name != wanted, !says_yes(*stanza, "Essential"),
            !says_yes(*stanza, "Important") && !says_yes(*stanza, "Protected"),
            priority_of(*stanza), -name};
  }

  const PackagePool& pool_;
  const std::set<Id>& stays_;
  Marks marks_;
  std::set<Id> in_;
  std::map<Id, Id> names_, ruled_out_;
  int steps_ = 0;
  AptChoice out_;
};

}  // namespace

AptChoice choose_as_apt(const PackagePool& pool, const std::vector<Id>& roots,
                        const std::set<Id>& stays) {
  return Walk(pool, stays).run(roots);
}

}  // namespace weir::builder
