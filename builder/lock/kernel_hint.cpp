#include "builder/lock/kernel_hint.h"

#include <algorithm>

#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

constexpr std::size_t kShown = 3;

struct Meant {
  std::string series;   ///< "6.1"; empty: any
  std::string flavour;  ///< "rt-amd64"; empty: any
};

// "6.1" of "6.1.0-44-amd64", "6.1.*-amd64" and "6.1*".
std::string series_of(std::string_view release) {
  std::size_t end = 0;
  int dots = 0;
  while (end < release.size() && (is_digit(release[end]) || release[end] == '.')) {
    if (release[end] == '.' && ++dots == 2) break;
    ++end;
  }
  const std::string_view out = release.substr(0, end);
  return std::string(out.ends_with('.') ? out.substr(0, out.size() - 1) : out);
}

// What stands behind the last part that begins with a digit or is a wildcard.
std::string flavour_of(std::string_view release) {
  std::string_view rest = release;
  if (const auto star = rest.rfind('*'); star != std::string_view::npos)
    rest = rest.substr(star + 1);
  while (!rest.empty() && (is_digit(rest.front()) || rest.front() == '-' || rest.front() == '.')) {
    const auto dash = rest.find('-', 1);
    if (rest.front() == '-' && rest.size() > 1 && !is_digit(rest[1]))
      return std::string(rest.substr(1));
    if (dash == std::string_view::npos) return {};
    rest = rest.substr(dash);
  }
  return std::string(rest);
}

Meant meant_by(std::string_view written, std::string_view architecture) {
  for (const std::string_view kind :
       {"linux-image-", "linux-headers-", "linux-modules-", "linux-binary-", "linux-base-"}) {
    if (written.starts_with(kind)) written.remove_prefix(kind.size());
  }
  Meant out{series_of(written), flavour_of(written)};
  // "amd64" in an image for arm64 means what is called arm64 there.
  const auto dash = out.flavour.rfind('-');
  const std::string last = out.flavour.substr(dash == std::string::npos ? 0 : dash + 1);
  if (!last.empty())
    out.flavour.replace(out.flavour.size() - last.size(), last.size(), architecture);
  return out;
}

bool is_of_series(std::string_view release, std::string_view series) {
  return !series.empty() && release.starts_with(series) &&
         (release.size() == series.size() || !is_digit(release[series.size()]));
}

}  // namespace

std::string kernel_hint(std::string_view written, std::string_view kind,
                        std::string_view architecture, const std::vector<std::string_view>& names,
                        const std::function<bool(std::string_view, std::string_view)>& newer) {
  const Meant meant = meant_by(written, architecture);
  std::vector<std::string_view> best;
  int rank = -1;
  for (const std::string_view name : names) {
    const std::string_view release = name.substr(std::min(kind.size(), name.size()));
    if (!name.starts_with(kind) || release.empty() || !is_digit(release.front())) continue;
    if (name.ends_with("-unsigned") || name.ends_with("-dbg")) continue;
    if (!release.ends_with("-" + std::string(architecture))) continue;
    const auto flavour = flavour_of(release);
    const int points = (is_of_series(release, meant.series) ? 2 : 0) +
                       (!meant.flavour.empty() && flavour == meant.flavour ? 1 : 0);
    if (points > rank) best.clear();
    if (points >= rank) best.push_back(name);
    rank = std::max(rank, points);
  }
  std::sort(best.begin(), best.end(), newer);
  std::string out;
  for (std::size_t i = 0; i < std::min(best.size(), kShown); ++i) {
    out.append(i == 0 ? "; the suites have " : ", ").append(best[i]);
  }
  return out + (best.size() > kShown ? ", ..." : "");
}

}  // namespace weir::builder
