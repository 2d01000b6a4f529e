// Rules 2, 3 and 5: whose a client is, who may speak to it first, and moving it.
#include <doctest/doctest.h>

#include "tests/netns/director/lab.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;

namespace {

const char* const kClients[] = {"198.51.100.1:4000", "[2001:db8:1::1]:4000"};

}  // namespace

TEST_CASE("a client without a home goes to an active node, the same one every time") {
  Lab lab({node("blue-1"), node("blue-2")});
  std::map<std::uint32_t, int> got;
  for (std::uint32_t i = 1; i < 24; ++i) {
    const weir::Endpoint client{address("198.51.100.0").plus(i), 4000};
    const auto first = lab.node_for(client, 1, 1);
    CHECK(lab.node_for(client, 1, 2) == first);
    CHECK(lab.node_for({client.address, 4001}, 4, 99) == first);  // the port does not count
    ++got[first];
  }
  CHECK(got.size() == 2);
  CHECK(got[1] > 0);
  CHECK(got[2] > 0);
  lab.change([](Intent& s) { s.active = {node("green-1")}; });
  CHECK(lab.node_for(endpoint("198.51.100.1:4000"), 1, 1) == 3);
  CHECK(lab.node_for(endpoint("[2001:db8:1::1]:4000"), 1, 1) == 3);
  lab.change([](Intent& s) { s.active.clear(); });
  CHECK(lab.receivers_so_far(lab.client_sends(endpoint("198.51.100.1:4000"), 1, 1)).empty());
}

TEST_CASE("a home set by the deployer decides, and can be moved and forgotten") {
  Lab lab({node("blue-1")});
  for (const char* text : kClients) {
    const auto client = endpoint(text);
    CAPTURE(text);
    lab.change([&](Intent& s) { s.homes.insert_or_assign(client, node("blue-2")); });
    CHECK(lab.node_for(client, 1, 1) == 2);
    CHECK(lab.node_for(client, 4, 1234) == 2);
    lab.change([&](Intent& s) { s.homes.insert_or_assign(client, node("green-1")); });
    CHECK(lab.node_for(client, 1, 1) == 3);
    lab.change([&](Intent& s) { s.homes.erase(client); });
    CHECK(lab.node_for(client, 1, 1) == 1);
  }
}

TEST_CASE(
    "a node's own data makes it the home of whoever it talks to, and nothing clients send does") {
  Lab lab({node("blue-1")});
  for (const char* text : kClients) {
    const auto client = endpoint(text);
    CAPTURE(text);
    REQUIRE(lab.reaches(2, client, 2, 5));
    REQUIRE(lab.node_for(client, 4, 5) == 2);
    CHECK(lab.node_for(client, 1, 1) == 1);  // neither a response nor the client's data taught it
    REQUIRE(lab.reaches(2, client, 4, 5));
    CHECK(lab.node_for(client, 1, 1) == 2);
    CHECK(lab.director().read()->learned.homes.at(client) == node("blue-2"));
    // Another node's data does not take it away.
    REQUIRE(lab.reaches(3, client, 4, 5));
    CHECK(lab.node_for(client, 1, 1) == 2);
  }
}

TEST_CASE("a home is taken over once its node has been silent, not before") {
  Lab lab({node("blue-1")});
  for (const char* text : kClients) {
    const auto client = endpoint(text);
    CAPTURE(text);
    REQUIRE(lab.reaches(2, client, 4, 5));
    REQUIRE(lab.reaches(3, client, 4, 5));
    REQUIRE(lab.node_for(client, 1, 1) == 2);
    // Half a minute later, which nft can make now.
    const auto f = client.address.is_v6() ? "6" : "4";
    REQUIRE(lab.host().exec(std::string("nft flush set inet weir current") + f).status == 0);
    REQUIRE(lab.reaches(3, client, 4, 5));
    CHECK(lab.node_for(client, 1, 1) == 3);
    CHECK(lab.director().read()->learned.homes.at(client) == node("green-1"));
    // The old node's stragglers come too late.
    REQUIRE(lab.reaches(2, client, 4, 5));
    CHECK(lab.node_for(client, 1, 1) == 3);
  }
}

TEST_CASE("two nodes that both stand as home of one client are sorted out by the next packet") {
  Lab lab({node("blue-1")});
  const auto client = endpoint("198.51.100.1:4000");
  // What two processors could leave behind when both nodes spoke at the same moment.
  REQUIRE(lab.host()
              .exec("nft add element inet weir learned4 "
                    "'{ 2 . 198.51.100.1 . 4000, 3 . 198.51.100.1 . 4000 }'")
              .status == 0);
  CHECK(lab.node_for(client, 1, 1) == 2);
  REQUIRE(lab.reaches(3, client, 4, 5));
  CHECK(lab.node_for(client, 1, 1) == 3);
  CHECK(lab.director().read()->learned.homes.at(client) == node("green-1"));
}

TEST_CASE("a node may initiate to its own clients and to nobody else's") {
  Lab lab({node("blue-1")});
  for (const char* text : kClients) {
    const auto client = endpoint(text);
    CAPTURE(text);
    // Nobody's client yet: whoever is active may.
    CHECK(lab.reaches(1, client, 1, 1));
    CHECK_FALSE(lab.reaches(2, client, 1, 2));
    CHECK_FALSE(lab.reaches(3, client, 1, 3));
    // Learned homes.
    REQUIRE(lab.reaches(2, client, 4, 1));
    CHECK(lab.reaches(2, client, 1, 4));
    CHECK_FALSE(lab.reaches(1, client, 1, 5));
    // Homes by order win over learned ones.
    lab.change([&](Intent& s) { s.homes.insert_or_assign(client, node("green-1")); });
    CHECK(lab.reaches(3, client, 1, 6));
    CHECK_FALSE(lab.reaches(2, client, 1, 7));
    CHECK_FALSE(lab.reaches(1, client, 1, 8));
    // A kick is for one node and one client, beside the home.
    lab.change([&](Intent& s) { s.kicks.insert({node("blue-2"), client}); });
    CHECK(lab.reaches(2, client, 1, 9));
    CHECK(lab.reaches(3, client, 1, 10));
    CHECK_FALSE(lab.reaches(1, client, 1, 11));
    CHECK_FALSE(lab.reaches(2, {client.address, 4001}, 1, 12));  // another port, another client
    lab.change([&](Intent& s) { s.kicks.clear(); });
    CHECK_FALSE(lab.reaches(2, client, 1, 13));
  }
  // Refused initiations teach no index.
  const auto observed = lab.director().read();
  CHECK_FALSE(observed->learned.indices.contains(3));
  CHECK_FALSE(observed->learned.indices.contains(13));
  CHECK(observed->counters.at("no_right") > 0);
}

TEST_CASE("a client is prepared and committed without either node's packets going astray") {
  Lab lab({node("blue-1")});
  for (const char* text : kClients) {
    const auto client = endpoint(text);
    CAPTURE(text);
    const std::uint32_t old_index = client.address.is_v6() ? 110 : 10;
    const std::uint32_t new_index = old_index + 20;
    // It lives on blue-1.
    REQUIRE(lab.reaches(1, client, 2, old_index));
    REQUIRE(lab.reaches(1, client, 4, 1));
    REQUIRE(lab.node_for(client, 4, old_index) == 1);

    // Prepare: green may initiate, its data is held.
    lab.change([&](Intent& s) {
      s.kicks.insert({node("green-1"), client});
      s.holds.insert({node("green-1"), client});
    });
    CHECK(lab.reaches(3, client, 1, new_index));
    CHECK(lab.node_for(client, 2, new_index) == 3);
    CHECK_FALSE(lab.reaches(3, client, 4, 1));
    CHECK(lab.reaches(1, client, 4, 1));
    CHECK(lab.node_for(client, 4, old_index) == 1);
    CHECK(lab.node_for(client, 1, 1) == 1);           // held packets taught nothing
    CHECK(lab.reaches(1, client, 1, old_index + 1));  // blue is still at home and may initiate

    // Commit: hold ends, home and right move, in one transaction.
    lab.change([&](Intent& s) {
      s.kicks.erase({node("green-1"), client});
      s.holds.erase({node("green-1"), client});
      s.homes.insert_or_assign(client, node("green-1"));
    });
    CHECK(lab.node_for(client, 1, 1) == 3);
    // Late packets of blue pass and never move the home back, in whatever order they come.
    CHECK(lab.reaches(1, client, 4, 1));
    CHECK(lab.node_for(client, 1, 1) == 3);
    CHECK(lab.reaches(3, client, 4, 1));
    CHECK(lab.reaches(1, client, 4, 1));
    CHECK(lab.node_for(client, 1, 1) == 3);
    CHECK_FALSE(lab.reaches(1, client, 1, old_index + 2));
    CHECK(lab.reaches(3, client, 1, new_index + 1));
    CHECK(lab.node_for(client, 4, old_index) == 1);  // sent before the switch
    CHECK(lab.node_for(client, 4, new_index) == 3);

    // What green said once it was home by order outlives the order.
    CHECK(lab.director().read()->learned.homes.at(client) == node("green-1"));
    lab.change([&](Intent& s) { s.homes.erase(client); });
    CHECK(lab.node_for(client, 1, 1) == 3);
    CHECK(lab.reaches(1, client, 4, 1));
    CHECK(lab.node_for(client, 1, 1) == 3);

    // And back the same way.
    lab.change([&](Intent& s) { s.homes.insert_or_assign(client, node("blue-1")); });
    CHECK(lab.node_for(client, 1, 1) == 1);
    CHECK(lab.reaches(3, client, 4, 1));
    CHECK(lab.node_for(client, 1, 1) == 1);
  }
}

TEST_CASE("a client that roams after its move stays with its new node") {
  Lab lab({node("blue-1")});
  const auto before = endpoint("198.51.100.1:4000");
  const auto after = endpoint("198.51.100.200:9999");
  REQUIRE(lab.reaches(3, before, 2, 42));
  lab.change([&](Intent& s) { s.homes.insert_or_assign(before, node("green-1")); });
  CHECK(lab.node_for(after, 4, 42) == 3);
  CHECK(lab.node_for(after, 1, 1) == 1);  // green has not answered there yet
  REQUIRE(lab.reaches(3, after, 4, 1));
  CHECK(lab.node_for(after, 1, 1) == 3);
  CHECK(lab.reaches(3, after, 1, 43));
}

TEST_CASE(
    "giving up: a hold without a kick stops the client's answers to that node, and only those") {
  Lab lab({node("blue-1")});
  for (const char* text : kClients) {
    const auto client = endpoint(text);
    CAPTURE(text);
    const std::uint32_t index = client.address.is_v6() ? 120 : 20;
    REQUIRE(lab.reaches(1, client, 2, index));
    lab.change([&](Intent& s) {
      s.kicks.insert({node("green-1"), client});
      s.holds.insert({node("green-1"), client});
    });
    REQUIRE(lab.reaches(3, client, 1, index + 1));
    REQUIRE(lab.node_for(client, 2, index + 1) == 3);
    lab.change([&](Intent& s) { s.kicks.clear(); });
    CHECK_FALSE(lab.reaches(3, client, 1, index + 2));
    CHECK(lab.node_for(client, 2, index + 1) == 0);
    CHECK(lab.node_for(client, 2, index) == 1);
    CHECK(lab.node_for(client, 4, index) == 1);
    CHECK(lab.node_for(client, 1, 1) == 1);
    lab.change([&](Intent& s) { s.holds.clear(); });
    CHECK(lab.node_for(client, 2, index + 1) == 3);
  }
  CHECK(lab.counter("given_up") == 2);
}
