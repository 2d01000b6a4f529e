#include "manifests/base/closest_names.h"

#include <doctest/doctest.h>

namespace weir {

TEST_CASE("edit distance counts insertions, removals, changes and swaps") {
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("wireguard", "wiregaurd") == 1);
  CHECK(edit_distance("same", "same") == 0);
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
