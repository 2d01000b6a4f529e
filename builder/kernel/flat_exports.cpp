#include "builder/kernel/flat_exports.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "images/formats/byte_order.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

using images::get_little;

constexpr std::size_t kFlatEntry = 12;       ///< struct kernel_symbol: value, name, namespace
constexpr std::size_t kLeastExports = 64;    ///< Debian's smallest kernel exports thousands
constexpr std::size_t kLongestName = 512;    ///< KSYM_NAME_LEN
constexpr std::size_t kFarthest = 64 << 20;  ///< from an entry to its name

tl::unexpected<Error> no_exports(std::string_view why) {
  return fail(Errc::invalid_input, "kernel image: " + std::string(why));
}

// Where a field that holds a distance from itself leads to, forward.
std::optional<std::size_t> target_of(Bytes image, std::size_t field) {
  const auto distance = static_cast<std::int32_t>(get_little<std::uint32_t>(image, field));
  if (distance <= 0 || static_cast<std::size_t>(distance) > kFarthest) return std::nullopt;
  const std::size_t at = field + static_cast<std::size_t>(distance);
  return at < image.size() ? std::optional(at) : std::nullopt;
}

template <class IsPart>
std::optional<std::string_view> text_in(Bytes image, std::size_t at, IsPart is_part) {
  const std::string_view all(reinterpret_cast<const char*>(image.data()), image.size());
  const std::string_view rest = all.substr(at, kLongestName);
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_part);
  if (end == rest.end() || *end != '\0') return std::nullopt;
  return rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
}

struct FoundExport {
  std::string_view name;
  std::size_t first = 0;  ///< where the first of its two texts begins
};

std::optional<FoundExport> export_at(Bytes image, std::size_t at) {
  if (image.size() - at < kFlatEntry) return std::nullopt;
  const auto name_at = target_of(image, at + 4);
  if (!name_at) return std::nullopt;
  const auto is_symbol = [](char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.' || c == '$';
  };
  const auto name = text_in(image, *name_at, is_symbol);
  if (!name || name->empty()) return std::nullopt;
  // Exports of assembly have no namespace at all, others an empty one.
  if (get_little<std::uint32_t>(image, at + 8) == 0) return FoundExport{*name, *name_at};
  const auto space_at = target_of(image, at + 8);
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!space_at || !text_in(image, *space_at, is_printable)) return std::nullopt;
  return FoundExport{*name, std::min(*name_at, *space_at)};
}

// The longest run of entries; its end is where the search went on.
std::pair<std::size_t, std::vector<FoundExport>> longest_run(Bytes image) {
  std::vector<FoundExport> best;
  std::size_t best_at = 0;
  for (std::size_t at = 0; at + kFlatEntry <= image.size();) {
    std::vector<FoundExport> run;
    std::size_t next = at;
    while (next < image.size()) {
      const auto one = export_at(image, next);
      if (!one) break;
      run.push_back(*one);
      next += kFlatEntry;
    }
    // What begins within a long run is part of it.
    at = run.size() >= kLeastExports ? next : at + 4;
    if (run.size() > best.size()) {
      best_at = next - run.size() * kFlatEntry;
      best = std::move(run);
    }
  }
  return {best_at, std::move(best)};
}

bool is_sorted_twice(const std::vector<FoundExport>& run) {
  int falls = 0;
  for (std::size_t i = 1; i < run.size(); ++i) falls += run[i].name <= run[i - 1].name ? 1 : 0;
  return falls <= 1;
}

}  // namespace

Result<SymbolSums> find_kernel_exports(Bytes image) {
  const auto [begin, run] = longest_run(image);
  if (run.size() < kLeastExports || !is_sorted_twice(run)) {
    return no_exports("what it exports to modules is not found in it");
  }
  const std::size_t end = begin + run.size() * kFlatEntry;
  std::size_t strings = image.size();
  for (const FoundExport& one : run) strings = std::min(strings, one.first);
  const std::size_t count = run.size(), between = strings - end;
  // With sums, with flags, with both, or with neither.
  const bool sums = between >= count * 4;
  const std::size_t flags = between - (sums ? count * 4 : 0);
  if (strings < end || (flags != 0 && flags != count)) {
    return no_exports("its table of exports is of a kind that is not known here");
  }
  SymbolSums out;
  for (std::size_t i = 0; i < count; ++i) {
    std::optional<std::uint32_t> sum;
    if (sums) sum = get_little<std::uint32_t>(image, end + i * 4);
    if (!out.emplace(run[i].name, sum).second) {
      return no_exports("it exports " + std::string(run[i].name) + " twice");
    }
  }
  return out;
}

}  // namespace weir::builder
