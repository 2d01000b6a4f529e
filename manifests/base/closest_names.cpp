#include "manifests/base/closest_names.h"

#include <algorithm>
#include <set>
#include <utility>

namespace weir {

namespace {

constexpr std::size_t kMostEdits = 10;

}  // namespace

// Optimal string alignment: three rows of the dynamic program are enough, and of each row the
// places near the diagonal.
std::optional<std::size_t> edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  const std::size_t apart = std::max(a.size(), b.size()) - std::min(a.size(), b.size());
  if (apart > most) return std::nullopt;
  const std::size_t far = most + 1;
  std::vector<std::size_t> before(b.size() + 1, far), last(b.size() + 1, far),
      row(b.size() + 1, far);
  for (std::size_t j = 0; j <= std::min(b.size(), most); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const std::size_t begin = i > most ? i - most : 0;
    const std::size_t end = std::min(b.size(), i + most);
    std::size_t least = far;
    if (begin == 0) {
      row[0] = least = i;
    } else {
      row[begin - 1] = far;
    }
    for (std::size_t j = std::max<std::size_t>(begin, 1); j <= end; ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change, far});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
      least = std::min(least, row[j]);
    }
    if (end < b.size()) row[end + 1] = far;
    if (least > most) return std::nullopt;
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()] > most ? std::nullopt : std::optional(last[b.size()]);
}

std::vector<std::string> closest_names(std::string_view name,
                                       const std::vector<std::string_view>& candidates) {
  const std::size_t reach = std::clamp<std::size_t>(name.size() / 3, 1, kMostEdits);
  std::set<std::pair<std::size_t, std::string_view>> near;
  for (const auto candidate : candidates) {
    if (const auto distance = edit_distance(name, candidate, reach)) {
      near.emplace(*distance, candidate);
    }
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
