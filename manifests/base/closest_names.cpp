#include "manifests/base/closest_names.h"

#include <algorithm>
#include <set>
#include <utility>

namespace weir {

// Optimal string alignment: three rows of the dynamic program are enough.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::vector<std::string> closest_names(std::string_view name,
                                       const std::vector<std::string_view>& candidates) {
  const std::size_t reach = std::max<std::size_t>(1, name.size() / 3);
  std::set<std::pair<std::size_t, std::string_view>> near;
  for (const auto candidate : candidates) {
    const auto [shorter, longer] = std::minmax(name.size(), candidate.size());
    if (longer - shorter > reach) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance <= reach) near.emplace(distance, candidate);
  }
  std::vector<std::string> out;
  for (const auto& [distance, candidate] : near) {
    if (out.size() == 3) break;
    out.emplace_back(candidate);
  }
  return out;
}

std::string suggestion(std::string_view name, const std::vector<std::string_view>& candidates) {
  std::string out;
  for (const auto& near : closest_names(name, candidates)) {
    out += (out.empty() ? "; closest: " : ", ") + near;
  }
  return out;
}

}  // namespace weir
