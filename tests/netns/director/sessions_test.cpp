// Rule 1: established sessions go to the node that owns their index, wherever the client is.
#include <doctest/doctest.h>

#include "tests/netns/director/lab.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;

TEST_CASE("a client's messages go to the node that chose their receiver index") {
  Lab lab({node("blue-1")});
  for (const char* text : {"198.51.100.1:4000", "[2001:db8:1::1]:4000"}) {
    const auto client = endpoint(text);
    CAPTURE(text);
    const std::uint32_t v6 = client.address.is_v6() ? 0x100 : 0;
    // blue-2 and green-1 answer an initiation each, blue-1 is where strangers go.
    CHECK(lab.reaches(2, client, 2, 0x01020304 + v6));
    CHECK(lab.reaches(3, client, 2, 0xfffffff0 - v6));
    for (const int type : {2, 3, 4}) {
      CAPTURE(type);
      CHECK(lab.node_for(client, type, 0x01020304 + v6) == 2);
      CHECK(lab.node_for(client, type, 0xfffffff0 - v6) == 3);
      CHECK(lab.node_for(client, type, 0x04030201 + v6) == 1);  // nobody's: byte order matters
    }
    CHECK(lab.node_for(client, 1, 0x01020304 + v6) == 1);  // its field is the client's own index
  }
  const auto observed = lab.director().read();
  REQUIRE(observed);
  const auto& indices = observed->learned.indices;
  CHECK(indices.size() == 4);
  CHECK(indices.at(0x01020304) == node("blue-2"));
  CHECK(indices.at(0xfffffff0) == node("green-1"));
  CHECK(observed->learned.index_collisions == 0);
}

TEST_CASE("a client that roams, also to the other family, keeps its session's node") {
  Lab lab({node("blue-1")});
  REQUIRE(lab.reaches(3, endpoint("198.51.100.1:4000"), 2, 77));
  CHECK(lab.node_for(endpoint("198.51.100.1:4001"), 4, 77) == 3);   // its NAT chose another port
  CHECK(lab.node_for(endpoint("198.51.100.99:4000"), 4, 77) == 3);  // it moved
  CHECK(lab.node_for(endpoint("[2001:db8:1::1]:4000"), 4, 77) == 3);
}

TEST_CASE("two nodes that chose one index keep their clients apart, and it is counted") {
  Lab lab({node("blue-1")});
  const auto mine = endpoint("198.51.100.1:4000");
  const auto other = endpoint("198.51.100.2:4000");
  const auto six = endpoint("[2001:db8:1::1]:4000");
  REQUIRE(lab.reaches(2, mine, 2, 500));
  REQUIRE(lab.reaches(3, other, 2, 500));
  REQUIRE(lab.reaches(1, six, 2, 500));
  for (const int type : {2, 3, 4}) {
    CAPTURE(type);
    CHECK(lab.node_for(mine, type, 500) == 2);
    CHECK(lab.node_for(other, type, 500) == 3);
    CHECK(lab.node_for(six, type, 500) == 1);
  }
  // Who roams with such an index goes where it was chosen last.
  CHECK(lab.node_for(endpoint("198.51.100.3:1"), 4, 500) == 1);
  CHECK(lab.director().read()->learned.index_collisions == 2);
  // The same node choosing it again is none.
  REQUIRE(lab.reaches(1, six, 2, 500));
  CHECK(lab.director().read()->learned.index_collisions == 2);
}

TEST_CASE("what is not shaped like WireGuard does not reach a node") {
  Lab lab({node("blue-1")});
  const auto client = endpoint("198.51.100.1:4000");
  REQUIRE(lab.reaches(2, client, 2, 9));
  REQUIRE(lab.node_for(client, 4, 9) == 2);
  for (const auto& shape : std::vector<std::pair<int, std::size_t>>{
           {1, 149}, {1, 147}, {2, 91}, {3, 65}, {4, 31}, {5, 148}}) {
    const int type = shape.first;
    const std::size_t length = shape.second;
    CAPTURE(type);
    CAPTURE(length);
    const auto tag = lab.client_sends(client, type, 9, length);
    REQUIRE(lab.node_for(client, 4, 9) == 2);
    CHECK(lab.receivers_so_far(tag).empty());
  }
  CHECK(lab.counter("malformed") == 5);
  CHECK(lab.counter("unmatched") == 1);
}

TEST_CASE("learning is paced for one destination, and what is not learned still passes") {
  Lab lab({node("blue-1")});
  const auto client = endpoint("198.51.100.1:4000");
  for (std::uint32_t i = 0; i < 100; ++i) lab.node_sends(2, client, 2, 1000 + i);
  const auto last = lab.node_sends(2, client, 2, 2000);
  CHECK(lab.receivers(last).size() == 1);
  const auto observed = lab.director().read();
  REQUIRE(observed);
  CHECK(observed->learned.indices.size() < 40);
  CHECK(observed->counters.at("paced") > 60);
  // Another client is not held back by it.
  REQUIRE(lab.reaches(2, endpoint("198.51.100.2:4000"), 2, 5));
  CHECK(lab.node_for(endpoint("198.51.100.2:4000"), 4, 5) == 2);
}

TEST_CASE("fragmented messages find their node, in both directions and families") {
  Lab lab({node("blue-1")});
  for (const char* text : {"198.51.100.1:4000", "[2001:db8:1::1]:4000"}) {
    const auto client = endpoint(text);
    CAPTURE(text);
    const std::uint32_t index = client.address.is_v6() ? 61 : 60;
    REQUIRE(lab.reaches(3, client, 2, index));
    const auto up = lab.client_sends(client, 4, index, 4000);
    CHECK(lab.receivers(up) == std::multiset<std::string>{"node3"});
    const auto down = lab.node_sends(3, client, 4, 1, 4000);
    CHECK(lab.receivers(down) == std::multiset<std::string>{"client " + client.string()});
    // Held as a whole message, by its first fragment's port.
    lab.change([&](Intent& s) { s.holds.insert({node("green-1"), client}); });
    const auto held = lab.node_sends(3, client, 4, 1, 4000);
    REQUIRE(lab.reaches(3, client, 2, index));
    CHECK(lab.receivers_so_far(held).empty());
  }
}

TEST_CASE("a dead node is forgotten at once and whole, and others are not") {
  Lab lab({node("blue-1")});
  const auto client = endpoint("198.51.100.1:4000");
  const auto six = endpoint("[2001:db8:1::1]:4000");
  for (std::uint32_t i = 0; i < 600; ++i) {  // more than one transaction's worth
    lab.node_sends(
        3, {address("198.51.100.8").plus(i % 200), static_cast<std::uint16_t>(5000 + i / 200)}, 2,
        10000 + i);
  }
  REQUIRE(lab.reaches(3, client, 2, 77));
  REQUIRE(lab.reaches(3, client, 4, 1));
  REQUIRE(lab.reaches(3, six, 4, 1));
  REQUIRE(lab.reaches(2, client, 2, 78));
  REQUIRE(lab.reaches(2, endpoint("198.51.100.2:4000"), 4, 1));
  REQUIRE(lab.receivers(lab.inner_sends(3, address("10.9.0.5"), address(Lab::kUpstream4))).size() ==
          1);
  auto before = lab.director().read();
  REQUIRE(before);
  CHECK(before->learned.indices.size() == 602);
  CHECK(before->learned.homes.size() == 3);
  CHECK(before->learned.inner.size() == 1);
  REQUIRE(lab.director().forget(node("green-1")));
  auto after = lab.director().read();
  REQUIRE(after);
  CHECK(after->learned.indices == std::map<std::uint32_t, weir::NodeId>{{78, node("blue-2")}});
  CHECK(after->learned.homes.size() == 1);
  CHECK(after->learned.inner.empty());
  CHECK(after->steering == before->steering);
  CHECK(lab.node_for(client, 4, 77) == 1);
  CHECK(lab.node_for(client, 4, 78) == 2);
  REQUIRE(lab.director().forget(node("green-1")));  // again: nothing to do
  CHECK(lab.host().exec("nft list set inet weir sessions4").text.find("0x00000003") ==
        std::string::npos);
  CHECK(lab.host().exec("nft list set inet weir current6").text.find("0x00000003") ==
        std::string::npos);
}
