#include "manifests/base/closest_names.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace weir {
namespace {

/// By its definition (optimal string alignment), without any bound.
std::size_t defined_distance(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return std::max(a.size(), b.size());
  const auto without = [](std::string_view text, std::size_t n) {
    return text.substr(0, text.size() - n);
  };
  std::size_t out =
      std::min({defined_distance(without(a, 1), b) + 1, defined_distance(a, without(b, 1)) + 1,
                defined_distance(without(a, 1), without(b, 1)) + (a.back() == b.back() ? 0 : 1)});
  if (a.size() > 1 && b.size() > 1 && a.back() == b[b.size() - 2] && a[a.size() - 2] == b.back()) {
    out = std::min(out, defined_distance(without(a, 2), without(b, 2)) + 1);
  }
  return out;
}

/// Every text of up to four letters of two.
std::vector<std::string> short_texts() {
  std::vector<std::string> out = {""};
  for (std::size_t i = 0; out[i].size() < 4; ++i) {
    for (const char letter : {'a', 'b'}) out.push_back(out[i] + letter);
  }
  return out;
}

}  // namespace

TEST_CASE("edit distance counts insertions, removals, changes and swaps") {
  CHECK(edit_distance("", "abc", 9) == 3);
  CHECK(edit_distance("kitten", "sitting", 9) == 3);
  CHECK(edit_distance("wireguard", "wiregaurd", 9) == 1);
  CHECK(edit_distance("same", "same", 9) == 0);
  CHECK(edit_distance("same", "same", 0) == 0);
}

TEST_CASE("a distance is told up to the bound, and beyond it there is none") {
  const auto texts = short_texts();
  std::size_t wrong = 0;
  for (const std::string& a : texts) {
    for (const std::string& b : texts) {
      const std::size_t distance = defined_distance(a, b);
      for (std::size_t most = 0; most <= 5; ++most) {
        const auto told = edit_distance(a, b, most);
        wrong += distance <= most ? told != distance : told.has_value();
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("a name that is far too long or too short to be meant is not even read") {
  // Whoever reads it reads beyond its memory, or asks for more than there is.
  const std::string_view endless("w", std::size_t{1} << 60);
  CHECK(closest_names("wireguard", {endless, "wireguard-go"}) ==
        std::vector<std::string>{"wireguard-go"});
  CHECK(closest_names(endless, {"wireguard", "wireguard-tools"}).empty());
}

TEST_CASE("however long two names are, ten edits are the most that a person is believed") {
  const std::string name(90, 'n');
  CHECK(closest_names(name + std::string(10, 'x'), {name}) == std::vector<std::string>{name});
  CHECK(closest_names(name + std::string(11, 'x'), {name}).empty());
  const std::string other = std::string(11, 'x') + std::string(79, 'n');
  CHECK(closest_names(name, {other}).empty());
}

TEST_CASE("the nearest names come first, and far ones not at all") {
  const std::vector<std::string_view> names = {"wireguard", "wireguard-tools", "wireguard-go",
                                               "nftables", "iproute2"};
  CHECK(closest_names("wiregard-tools", names) == std::vector<std::string>{"wireguard-tools"});
  CHECK(closest_names("iproute", names) == std::vector<std::string>{"iproute2"});
  CHECK(closest_names("zzzzzz", names).empty());
  CHECK(suggestion("iprout2", names) == "; closest: iproute2");
  CHECK(suggestion("zzzzzz", names).empty());
}

}  // namespace weir
