#include "deployer/director/nft/render.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "deployer/steering/edit.h"
#include "tests/folders.h"
#include "tests/text.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::Errc;

namespace {

using weir::test::has;

/// Compares with tests/data/director/NAME; ACCEPT=1 writes it instead. That nft takes these texts
/// and reads the same back is what tests/netns shows.
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = weir::test::source_folder() + "/tests/data/director/" + name;
  if (std::getenv("ACCEPT") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  std::stringstream want;
  want << file.rdbuf();
  CAPTURE(path);
  CHECK(text == want.str());
}

Learned learned() {
  Learned out;
  out.indices.insert_or_assign(0x04030201, node("blue-1"));
  out.homes.insert_or_assign(endpoint("198.51.100.9:4000"), node("blue-2"));
  out.homes.insert_or_assign(endpoint("[2001:db8:1::9]:4000"), node("green-1"));
  out.inner.insert_or_assign(address("10.9.0.7"), node("blue-1"));
  out.inner.insert_or_assign(address("fd09::7"), node("blue-2"));
  return out;
}

}  // namespace

TEST_CASE("the whole ruleset of three nodes and both families") {
  const auto text = render_whole(topology(), steering(), learned(), 77);
  REQUIRE(text);
  check_golden("whole.nft", *text);
}

TEST_CASE(
    "a delta that commits a client, switches the active pool and assigns a new prefix length") {
  Intent to = steering();
  to.revision = 8;
  to.active = {node("green-1")};
  to.homes.insert_or_assign(endpoint("198.51.100.1:4000"), node("green-1"));
  to.homes.erase(endpoint("[2001:db8:1::1]:4000"));
  to.kicks.clear();
  to.holds.erase({node("green-1"), endpoint("198.51.100.1:4000")});
  to.assigned.insert_or_assign(prefix("10.9.0.5/32"), node("green-1"));
  to.assigned.insert_or_assign(prefix("10.9.2.0/25"), node("blue-1"));
  const auto text = render_delta(topology(), steering(), diff(steering(), to));
  REQUIRE(text);
  check_golden("commit.nft", *text);
}

TEST_CASE("a delta begins with the version, so that the kernel refuses it whole at another one") {
  Intent from = steering();
  from.revision = (std::uint64_t{5} << 32) | 9;
  Delta delta;
  delta.from = from.revision;
  delta.to = from.revision + 1;
  CHECK(*render_delta(topology(), from, delta) ==
        "delete element inet weir version { 5 . 9 }\nadd element inet weir version { 5 . 10 }\n");
}

TEST_CASE("switching one active node for another changes one element of the map") {
  Intent from = steering();
  from.active = {node("blue-1")};
  Intent to = from;
  to.revision = 8;
  to.active = {node("green-1")};
  const auto text = *render_delta(topology(), from, diff(from, to));
  CHECK(has(text, "delete element inet weir active { 0 }"));
  CHECK(has(text, "add element inet weir active { 0 : 3 }"));
  CHECK_FALSE(has(text, "chain"));
}

TEST_CASE("indices are written as they stand on the wire") {
  // 0x04030201 little endian is the bytes 1 2 3 4, which nft reads as 0x01020304.
  CHECK(has(*render_whole(topology(), steering(), learned(), 1),
            "add element inet weir indices { " + std::to_string(0x01020304) + " : 1 }"));
}

TEST_CASE("without a public address of a family nothing of its outer side is there") {
  Topology only_v4 = topology();
  only_v4.vip.ipv6.reset();
  const auto text = *render_whole(only_v4, steering(), {}, 1);
  CHECK_FALSE(has(text, "chain vip6"));
  CHECK_FALSE(has(text, "chain data6_1"));
  CHECK(has(text, "chain inner6_1"));  // what runs inside tunnels is another matter
}

TEST_CASE("prefixes inside others are left out of sets, where nft would refuse them") {
  Topology nested = topology();
  nested.fenced.push_back(prefix("100.64.0.0/30"));
  nested.fenced.push_back(prefix("192.0.2.1/32"));
  const auto text = *render_whole(nested, steering(), {}, 1);
  CHECK(has(text, "ip daddr { 100.64.0.0/24, 100.65.0.0/24, 192.0.2.1/32 } counter name fenced"));
}

TEST_CASE("steering that names a node nobody knows is refused with its name") {
  Intent strange = steering();
  strange.homes.insert_or_assign(endpoint("198.51.100.1:4000"), node("red-1"));
  const auto refused = render_whole(topology(), strange, {}, 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(has(refused.error().message, "red-1"));
  CHECK_FALSE(render_delta(topology(), steering(), diff(steering(), strange)));
}

TEST_CASE("a node gets as many ranks as its weight, and the hash spreads over all of them") {
  Intent to = steering();
  to.revision = 8;
  to.active = {{node("blue-1"), 2}, {node("green-1"), 3}};
  const auto text = render_delta(topology(), steering(), diff(steering(), to));
  REQUIRE(text);
  CHECK(text->find("mod 5") != std::string::npos);
  CHECK(text->find("4 : 3") != std::string::npos);
  to.active = {{node("blue-1"), 0}};
  CHECK_FALSE(render_delta(topology(), steering(), diff(steering(), to)));
  to.active = {{node("blue-1"), 5000}};
  CHECK_FALSE(render_delta(topology(), steering(), diff(steering(), to)));
}

TEST_CASE("two nodes with one number are refused") {
  Topology twice = topology();
  twice.nodes[1].number = 1;
  CHECK(render_whole(twice, steering(), {}, 1).error().code == Errc::invalid_input);
}
