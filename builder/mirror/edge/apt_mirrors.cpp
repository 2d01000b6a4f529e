#include "builder/mirror/edge/apt_mirrors.h"

#include <algorithm>
#include <compare>
#include <map>
#include <optional>
#include <utility>

#include "builder/mirror/edge/sources.h"

namespace weir::builder {
namespace {

// How well an entry of apt's fits a suite; less is better.
struct Fit {
  bool says_no_keyring = false;
  std::size_t missing_suffix = 0;  // of the suite's name: "-backports"
  bool lacks_components = false;
  bool operator==(const Fit&) const = default;
  auto operator<=>(const Fit&) const = default;
};

// Keyrings are read once.
class Trust {
 public:
  // Absent: the entry trusts others. One that cannot be read is told by its path.
  std::optional<bool> says_no_keyring(const SuiteSource& suite, const AptSource& entry) {
    const bool none = entry.keyrings.empty() && entry.key_block.empty();
    if (none || (suite.keyrings.empty() && suite.key_block.empty())) return true;
    const auto ours = read(suite);
    const auto theirs = read({"", "", {}, entry.keyrings, entry.key_block});
    if (!ours || !theirs) {
      return suite.keyrings == entry.keyrings ? std::optional(false) : std::nullopt;
    }
    return *ours == *theirs || share_a_key(*ours, *theirs) ? std::optional(false) : std::nullopt;
  }

 private:
  std::optional<Keyring> read(const SuiteSource& source) {
    const auto key = std::pair(source.keyrings, source.key_block);
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    std::optional<Keyring> out;
    if (auto keyring = read_keyring_of(source)) out = std::move(*keyring);
    return known_.emplace(key, std::move(out)).first->second;
  }
  std::map<std::pair<std::vector<std::string>, std::string>, std::optional<Keyring>> known_;
};

std::optional<Fit> fit_of(const SuiteSource& suite, const AptSource& entry, Trust& trust) {
  std::optional<std::size_t> missing;
  for (const auto& name : entry.suites) {
    const bool same = name == suite.suite;
    if (!same && !suite.suite.starts_with(name + "-")) continue;
    const std::size_t rest = suite.suite.size() - name.size();
    missing = missing ? std::min(*missing, rest) : rest;
  }
  if (!missing) return std::nullopt;
  const auto silent = trust.says_no_keyring(suite, entry);
  if (!silent) return std::nullopt;
  const auto& all = entry.components;
  const bool lacks = std::any_of(
      suite.components.begin(), suite.components.end(),
      [&](const auto& one) { return std::find(all.begin(), all.end(), one) == all.end(); });
  return Fit{*silent, *missing, lacks};
}

}  // namespace

std::vector<std::string> apt_mirrors_of(const SuiteSource& suite,
                                        const std::vector<AptSource>& entries) {
  Trust trust;
  std::optional<Fit> best;
  std::vector<std::string> out;
  for (const auto& entry : entries) {
    const auto fit = fit_of(suite, entry, trust);
    if (!fit || (best && *best < *fit)) continue;
    if (!best || *fit < *best) out.clear();
    best = fit;
    for (const auto& uri : entry.uris) {
      if (std::find(out.begin(), out.end(), uri) == out.end()) out.push_back(uri);
    }
  }
  return out;
}

}  // namespace weir::builder
