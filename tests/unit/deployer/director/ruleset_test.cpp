#include "deployer/director/nft/ruleset.h"

#include <doctest/doctest.h>

#include "tests/text.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::Errc;

namespace {

using weir::test::has;

// Keys by hand, as `nft --debug=netlink` prints them: marks in host order, all else in network
// order, every part padded to four bytes.
std::string mark(std::uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string raw(std::string_view address_text) {
  return std::string(address(address_text).raw());
}
const std::string kPort4000("\x0f\xa0\0\0", 4);
const std::string kPort4001("\x0f\xa1\0\0", 4);

Ruleset ruleset() {
  Ruleset out;
  for (const char* set : {"version", "active", "serving", "home4", "home6", "kick4", "kick6",
                          "hold4", "hold6", "indices", "learned4", "learned6", "inner4", "inner6",
                          "settings", "seal", "assigned4_32", "assigned4_24", "assigned6_128"}) {
    out.sets[set];
  }
  out.counters = {{"index_collisions", 5}, {"held", 2}};
  out.sets["version"] = {{mark(0) + mark(7), {}}};
  out.sets["active"] = {{mark(1), 2}, {mark(0), 1}};
  out.sets["serving"] = {{mark(2), {}}, {mark(1), {}}};
  out.sets["home4"] = {{raw("198.51.100.1") + kPort4000, 1}};
  out.sets["home6"] = {{raw("2001:db8:1::1") + kPort4000, 3}};
  out.sets["kick4"] = {{mark(3) + raw("198.51.100.1") + kPort4000, {}}};
  out.sets["hold4"] = {{mark(3) + raw("198.51.100.1") + kPort4000, {}}};
  out.sets["hold6"] = {{mark(3) + raw("2001:db8:1::2") + kPort4001, {}}};
  out.sets["assigned4_32"] = {{raw("10.9.0.5"), 2}};
  out.sets["assigned4_24"] = {{raw("10.9.1.0"), 1}};
  out.sets["assigned6_128"] = {{raw("fd09::5"), 3}};
  return out;
}

Errc code_of(const Ruleset& broken) {
  const auto observed = observe(topology(), broken);
  REQUIRE_FALSE(observed);
  return observed.error().code;
}

std::string message_of(const Ruleset& broken) {
  return observe(topology(), broken).error().message;
}

}  // namespace

TEST_CASE("elements are read as the steering they came from") {
  const auto observed = observe(topology(), ruleset());
  REQUIRE(observed);
  CHECK(observed->steering == steering());
  CHECK(observed->learned.index_collisions == 5);
  CHECK(observed->counters.at("held") == 2);
}

TEST_CASE("what packets taught is read, indices in host order") {
  Ruleset some = ruleset();
  some.sets["indices"] = {{std::string("\x01\x02\x03\x04", 4), 2}};
  some.sets["learned4"] = {{mark(2) + raw("198.51.100.9") + kPort4000, {}},
                           {mark(3) + raw("198.51.100.9") + kPort4000, {}},
                           {mark(1) + raw("198.51.100.9") + kPort4001, {}}};
  some.sets["inner6"] = {{raw("fd09::7"), 3}};
  const auto observed = observe(topology(), some);
  REQUIRE(observed);
  CHECK(observed->learned.indices.at(0x04030201) == node("blue-2"));
  CHECK(observed->learned.homes.at(endpoint("198.51.100.9:4000")) == node("blue-2"));
  CHECK(observed->learned.homes.at(endpoint("198.51.100.9:4001")) == node("blue-1"));
  CHECK(observed->learned.inner.at(address("fd09::7")) == node("green-1"));
}

TEST_CASE("versions use all 64 bits") {
  Ruleset some = ruleset();
  some.sets["version"] = {{mark(0xfffffffe) + mark(3), {}}};
  CHECK(observe(topology(), some)->steering.revision == 0xfffffffe00000003);
}

TEST_CASE("a ruleset that lacks or holds what ours never would is refused, naming the set") {
  for (const char* set : {"version", "active", "serving", "home4", "hold6", "indices", "inner6"}) {
    Ruleset broken = ruleset();
    broken.sets.erase(set);
    CHECK(code_of(broken) == Errc::integrity);
    CHECK(has(message_of(broken), set));
  }
  Ruleset broken = ruleset();
  broken.sets["home4"].push_back({raw("198.51.100.2") + kPort4000, 9});
  CHECK(has(message_of(broken), "number 9"));
  broken = ruleset();
  broken.sets["home4"].push_back({raw("198.51.100.2") + kPort4000, {}});
  CHECK(has(message_of(broken), "no node"));
  broken = ruleset();
  broken.sets["kick4"].push_back({mark(1) + raw("198.51.100.2"), {}});
  CHECK(has(message_of(broken), "kick4"));
  broken = ruleset();
  broken.sets["kick4"].push_back({mark(1) + raw("198.51.100.2") + kPort4000 + mark(0), {}});
  CHECK(code_of(broken) == Errc::integrity);
  broken = ruleset();
  broken.sets["active"].push_back({mark(3), 3});
  CHECK(has(message_of(broken), "gap"));
  broken = ruleset();
  broken.sets["serving"].pop_back();
  CHECK(has(message_of(broken), "serving"));
  broken = ruleset();
  broken.sets["version"].push_back({mark(0) + mark(8), {}});
  CHECK(has(message_of(broken), "2 elements"));
  broken = ruleset();
  broken.counters.clear();
  CHECK(has(message_of(broken), "index_collisions"));
}

TEST_CASE("sets with other names are not ours to read") {
  Ruleset some = ruleset();
  for (const char* set : {"assigned4_33", "assigned5_8", "assigned4_", "assigned4_1x",
                          "assigned6_129", "somebody", "assigned"}) {
    some.sets[set].push_back({"?", {}});
    CHECK_FALSE(is_observed(set));
  }
  CHECK(observe(topology(), some)->steering == steering());
  CHECK(holds_steering("assigned6_0"));
  CHECK_FALSE(holds_steering("learned4"));
}

TEST_CASE("forgetting a node touches everything packets taught about it, and nothing ordered") {
  Ruleset some = ruleset();
  some.sets["indices"] = {{std::string("\x01\x02\x03\x04", 4), 2},
                          {std::string("\x01\x02\x03\x05", 4), 3}};
  some.sets["sessions6"] = {{mark(3) + raw("fd00::1") + kPort4000 + "abcd", {}}};
  some.sets["recent4"] = {{mark(2) + raw("198.51.100.9") + kPort4000, {}}};
  some.sets["inner4"] = {{raw("10.9.0.5"), 3}, {raw("10.9.0.6"), 1}};
  const auto keys = keys_of_node(some, 3);
  CHECK(keys == std::map<std::string, std::vector<std::string>>{
                    {"indices", {std::string("\x01\x02\x03\x05", 4)}},
                    {"sessions6", {mark(3) + raw("fd00::1") + kPort4000 + "abcd"}},
                    {"inner4", {raw("10.9.0.5")}}});
  CHECK(keys_of_node(some, 2).size() == 2);
}

TEST_CASE("a seal holds for the rules and the topology it was made of") {
  Ruleset some = ruleset();
  some.chains = {{"pre", "one"}, {"spread", "two"}, {"ip errors", "three"}};
  CHECK(check_seal(topology(), some).error().code == Errc::not_found);
  for (const auto& [place, digest] : seal_of(topology(), some)) {
    some.sets["seal"].push_back({mark(place), digest});
  }
  CHECK(check_seal(topology(), some));
  Ruleset changed = some;
  changed.chains["spread"] = "rewritten by a delta";
  CHECK(check_seal(topology(), changed));
  changed.chains["ip errors"] = "3";
  CHECK(has(check_seal(topology(), changed).error().message, "ip errors"));
  changed = some;
  changed.chains.erase("pre");
  CHECK(check_seal(topology(), changed).error().code == Errc::integrity);
  Topology other = topology();
  other.expected_peers = 5;
  CHECK(check_seal(other, some));
  std::swap(other.nodes[0].node, other.nodes[1].node);
  CHECK(has(check_seal(other, some).error().message, "director.upstream_interface"));
}
