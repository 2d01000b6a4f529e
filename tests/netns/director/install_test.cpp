// Installing, reading back, changing and removing, without a single packet of a client.
#include <doctest/doctest.h>

#include <algorithm>

#include "deployer/steering/edit.h"
#include "tests/netns/director/lab.h"
#include "tests/text.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;
using weir::Errc;

namespace {

using weir::test::has;

}  // namespace

TEST_CASE("what is installed and applied is what is read, by us and by nft") {
  Lab lab({node("blue-1"), node("blue-2")});
  const Intent want = lab.change([](Intent& s) {
    const auto version = s.revision;
    s = steering();
    s.revision = version;
  });
  const auto observed = lab.director().read();
  REQUIRE(observed);
  CHECK(observed->steering == want);
  CHECK(observed->learned.homes.empty());
  CHECK(observed->learned.inner.empty());
  // nft prints marks with eight digits.
  const auto homes = lab.host().exec("nft list map inet weir home4").text;
  CHECK(has(homes, "198.51.100.1 . 4000 : 0x00000001"));
  const auto kicks = lab.host().exec("nft list set inet weir kick4").text;
  CHECK(has(kicks, "0x00000003 . 198.51.100.1 . 4000"));
  const auto holds = lab.host().exec("nft list set inet weir hold6").text;
  CHECK(has(holds, "0x00000003 . 2001:db8:1::2 . 4001"));
  CHECK(has(lab.host().exec("nft list map inet weir assigned4_24").text, "10.9.1.0 : 0x00000001"));
  CHECK(has(lab.host().exec("nft list set inet weir version").text, "0x00000000 . 0x00000002"));
  CHECK(lab.host().exec("nft list ruleset").status == 0);
}

TEST_CASE("a delta is refused whole when the director is at another version") {
  Lab lab({node("blue-1")});
  auto where = weir::network::NetworkNamespace::open(lab.host().name());
  REQUIRE(where);
  auto other = NftDirector::open(lab.topology(), std::move(*where));
  REQUIRE(other);
  const auto before = lab.director().read();
  REQUIRE(before);

  // Both know version 1; the other one is quicker.
  Intent theirs = before->steering;
  theirs.revision = 2;
  theirs.homes.insert_or_assign(endpoint("198.51.100.1:4000"), node("green-1"));
  REQUIRE(other->apply(diff(before->steering, theirs)));
  Intent ours = before->steering;
  ours.revision = 2;
  ours.active = {node("blue-2")};
  ours.assigned.insert_or_assign(prefix("10.9.2.0/23"), node("blue-2"));
  ours.holds.insert({node("green-1"), endpoint("198.51.100.1:4000")});
  const auto refused = lab.director().apply(diff(before->steering, ours));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::busy);
  CHECK(has(refused.error().message, "version 2"));
  CHECK(lab.director().read()->steering == theirs);

  // A delta whose start nobody is at any more, from memory and from a fresh process.
  CHECK(other->apply(diff(before->steering, ours)).error().code == Errc::busy);
  CHECK(lab.director().read()->steering == theirs);
  // Read it and make a new one.
  ours = theirs;
  ours.revision = 3;
  ours.active = {node("blue-2")};
  CHECK(lab.director().apply(diff(theirs, ours)));
  CHECK(other->read()->steering == ours);
}

TEST_CASE("many deltas in a row, of every kind, are what is read afterwards") {
  Lab lab({node("blue-1")});
  const std::vector<weir::NodeId> nodes = {node("blue-1"), node("blue-2"), node("green-1")};
  std::uint32_t state = 1;
  const auto below = [&](std::uint32_t n) {
    state = state * 1664525 + 1013904223;  // Numerical Recipes' generator: the same every run
    return (state >> 16) % n;
  };
  Intent want = lab.director().read()->steering;
  for (int i = 0; i < 60; ++i) {
    Intent next = want;
    ++next.revision;
    for (int j = 0; j < 6; ++j) {
      const weir::Endpoint client{
          address(below(2) == 0 ? "198.51.100.0" : "2001:db8:1::").plus(below(3)),
          static_cast<std::uint16_t>(4000 + below(2))};
      const Grant grant{nodes[below(3)], client};
      const unsigned bits = 20 + below(13);
      switch (below(8)) {
        case 0:
          next.homes.insert_or_assign(client, nodes[below(3)]);
          break;
        case 1:
          next.homes.erase(client);
          break;
        case 2:
          next.kicks.insert(grant);
          break;
        case 3:
          next.kicks.erase(grant);
          break;
        case 4:
          next.holds.insert(grant);
          break;
        case 5:
          next.holds.erase(grant);
          break;
        case 6: {
          std::vector<weir::NodeId> slots;
          for (std::uint32_t n = below(4); n > 0; --n) slots.push_back(nodes[below(3)]);
          next.active = buckets_of(slots);
          break;
        }
        default: {
          const weir::Prefix some{address("10.9.0.0"), static_cast<std::uint8_t>(bits)};
          if (below(3) == 0) {
            next.assigned.erase(some);
          } else {
            next.assigned.insert_or_assign(some, nodes[below(3)]);
          }
        }
      }
    }
    const auto done = lab.director().apply(diff(want, next));
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
    want = std::move(next);
    REQUIRE(lab.director().read()->steering == want);
  }
}

TEST_CASE("a restarted director starts with what is known and keeps what it is given") {
  Lab lab({node("blue-1")});
  const auto client = endpoint("198.51.100.1:4000");
  const auto six = endpoint("[2001:db8:1::1]:4000");
  REQUIRE(lab.reaches(3, client, 2, 0x01020304));
  REQUIRE(lab.reaches(3, six, 4, 1));
  REQUIRE(lab.receivers(lab.inner_sends(3, address("10.9.0.5"), address(Lab::kUpstream4))).size() ==
          1);
  const auto before = lab.director().read();
  REQUIRE(before);
  // A whole that replaces another.
  Intent whole = before->steering;
  whole.revision = 40;
  whole.homes.insert_or_assign(endpoint("198.51.100.2:4000"), node("blue-2"));
  REQUIRE(lab.director().install(whole, before->learned));
  const auto after = lab.director().read();
  REQUIRE(after);
  CHECK(after->steering == whole);
  CHECK(after->learned.indices == before->learned.indices);
  CHECK(after->learned.homes == before->learned.homes);
  CHECK(after->learned.inner == before->learned.inner);
  CHECK(lab.node_for(client, 4, 0x01020304) == 3);
  CHECK(lab.node_for(six, 1, 1) == 3);
  CHECK(lab.node_for_inner(address("10.9.0.5")) == 3);
  // What seeds say is refreshed like anything else, and yields to packets.
  REQUIRE(lab.reaches(2, six, 4, 1));
  CHECK(lab.node_for(six, 1, 1) == 2);
  // Without seeds it starts empty.
  REQUIRE(lab.director().install(whole, {}));
  CHECK(lab.director().read()->learned.homes.empty());
  CHECK(lab.node_for(client, 4, 0x01020304) == 1);
}

TEST_CASE("a ruleset that is not ours is refused with what differs, and none at all is not found") {
  Lab lab({node("blue-1")});
  const auto reading = [&] {
    const auto observed = lab.director().read();
    REQUIRE_FALSE(observed);
    return observed.error();
  };
  REQUIRE(lab.host().exec("nft add element inet weir home4 '{ 198.51.100.1 . 1 : 9 }'").status ==
          0);
  CHECK(reading().code == Errc::integrity);
  CHECK(has(reading().message, "home4"));
  CHECK(has(reading().message, "9"));
  REQUIRE(lab.host().exec("nft flush map inet weir home4").status == 0);
  REQUIRE(lab.director().read());
  REQUIRE(lab.host().exec("nft add element inet weir version '{ 0 . 5 }'").status == 0);
  CHECK(has(reading().message, "version"));
  REQUIRE(lab.host().exec("nft delete element inet weir version '{ 0 . 5 }'").status == 0);
  REQUIRE(lab.director().read());

  // Rules that somebody added, removed or lost.
  REQUIRE(lab.host().exec("nft insert rule inet weir data4_2 accept").status == 0);
  CHECK(reading().code == Errc::integrity);
  CHECK(has(reading().message, "data4_2"));
  Delta none;
  none.from = 1;
  none.to = 2;
  CHECK(
      lab.director().apply(none));  // changes are refused by version alone, for they must be quick
  REQUIRE(lab.director().install(Intent{}, {}));
  REQUIRE(lab.director().read());
  REQUIRE(lab.host().exec("nft flush chain ip6 weir errors").status == 0);
  CHECK(has(reading().message, "lost its rules"));
  CHECK(lab.director().installed().value());

  // A director that knows other nodes must not read numbers as if they were its own.
  Topology other = lab.topology();
  std::swap(other.nodes[0].node, other.nodes[2].node);
  auto where = weir::network::NetworkNamespace::open(lab.host().name());
  REQUIRE(where);
  auto stranger = NftDirector::open(other, std::move(*where));
  REQUIRE(stranger);
  CHECK(stranger->read().error().code == Errc::integrity);
  CHECK(has(stranger->read().error().message, "director.upstream_interface"));

  REQUIRE(lab.host().exec("nft flush ruleset").status == 0);
  CHECK(reading().code == Errc::not_found);
  CHECK(lab.director().installed().value() == false);
  Delta delta;
  delta.from = 1;
  delta.to = 2;
  CHECK(lab.director().apply(delta).error().code == Errc::not_found);
}

TEST_CASE("what install and attach made is taken away, and what stood there before is back") {
  Lab lab({node("blue-1")});
  const auto state = [&] {
    std::string out;
    constexpr const char* kSettings =
        "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter "
        "net.ipv4.conf.all.send_redirects net.ipv4.conf.up0.rp_filter "
        "net.ipv6.conf.up0.accept_ra";
    for (const char* command : {"ip rule", "ip -6 rule", "ip route show table all",
                                "ip -6 route show table all", "ip -o addr show dev weir-d1",
                                "ip -o addr show dev weir-m3", "nft list ruleset", kSettings}) {
      out += lab.host().exec(command).text;
    }
    return out;
  };
  REQUIRE(lab.director().remove());
  REQUIRE(lab.director().remove());  // twice is fine
  CHECK_FALSE(lab.director().installed().value());
  REQUIRE(lab.host()
              .exec("sysctl -qw net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.up0.rp_filter=1 "
                    "net.ipv6.conf.up0.accept_ra=2 net.ipv4.ip_forward=0")
              .status == 0);
  REQUIRE(lab.host().exec("nft add table inet somebody").status == 0);
  REQUIRE(lab.host().exec("ip rule add fwmark 1 lookup 7 priority 9").status == 0);
  const std::string before = state();
  CHECK_FALSE(has(before, "inet weir"));
  CHECK_FALSE(has(before, "default via 100.64"));
  CHECK_FALSE(has(before, "10001:"));
  CHECK_FALSE(has(before, "100.65.0.4"));
  CHECK(has(before, "ip_forward = 0"));

  Intent steering;
  steering.revision = 1;
  REQUIRE(lab.director().install(steering, {}));
  for (const auto& link : lab.topology().nodes) REQUIRE(lab.director().attach(link.node));
  CHECK(lab.director().installed().value());
  CHECK(has(state(), "ip_forward = 1"));
  CHECK(has(state(), "net.ipv4.conf.up0.rp_filter = 0"));
  REQUIRE(lab.director().install(steering, {}));  // a second time must not save our own settings
  REQUIRE(lab.director().remove());
  CHECK(state() == before);
}

TEST_CASE("rules of nodes that a fleet does not have any more are taken away, and nobody else's") {
  Lab lab({node("blue-1")});
  REQUIRE(lab.director().install(Intent{}, {}));
  REQUIRE(lab.host().exec("ip rule add fwmark 9 lookup 7 priority 10003").status == 0);
  const auto rules = [&] { return lab.host().exec("ip rule; ip -6 rule").text; };
  CHECK(has(rules(), "11003:"));
  Topology smaller = lab.topology();
  smaller.nodes.erase(smaller.nodes.begin() + 1, smaller.nodes.end());
  smaller.vip.ipv4 = weir::IpAddress::parse("192.0.2.77").value();
  auto where = weir::network::NetworkNamespace::open(lab.host().name());
  REQUIRE(where);
  auto director = NftDirector::open(smaller, std::move(*where), {});
  REQUIRE(director);
  REQUIRE(director->remove());
  for (const char* number : {"10001:", "10002:", "11001:", "11002:", "11003:", "lookup 3 "}) {
    CAPTURE(number);
    CHECK_FALSE(has(rules(), number));
  }
  CHECK(has(rules(), "10003:\tfrom all fwmark 0x9 lookup 7"));
}

TEST_CASE("who installed the steering is known from it, and to nobody else by another name") {
  Lab lab({node("blue-1")});
  const auto director_of = [&](const std::optional<weir::Digest>& owner) {
    auto where = weir::network::NetworkNamespace::open(lab.host().name());
    REQUIRE(where);
    auto director = NftDirector::open(lab.topology(), std::move(*where), owner);
    REQUIRE(director);
    return std::move(*director);
  };
  // Its SHA-256 begins with ba 78 16 bf (FIPS 180-2, B.1).
  auto abc = director_of(weir::Digest::of(weir::as_bytes("abc")));
  auto other = director_of(weir::Digest::of(weir::as_bytes("abd")));
  CHECK(abc.maker().value() == Maker::unknown);  // installed without a name
  const auto settings = [&] { return lab.host().exec("nft list map inet weir settings").text; };
  CHECK_FALSE(has(settings(), "0xffffffff : "));
  REQUIRE(abc.install(Intent{}, {}));
  CHECK(has(settings(), "0xffffffff : 0xbf1678ba"));
  CHECK(abc.maker().value() == Maker::us);
  CHECK(other.maker().value() == Maker::other);
  CHECK(director_of({}).maker().value() == Maker::other);
  REQUIRE(other.install(Intent{}, {}));
  CHECK(abc.maker().value() == Maker::other);
  REQUIRE(other.remove());
  CHECK(other.maker().error().code == Errc::not_found);
}

TEST_CASE("a node's links may go and come back") {
  Lab lab({node("blue-1"), node("green-1")});
  REQUIRE(lab.reaches(3, endpoint("198.51.100.1:4000"), 2, 5));
  REQUIRE(lab.host().exec("ip link del weir-d3").status == 0);
  CHECK(lab.director().attach(node("green-1")).error().code == Errc::not_found);
  CHECK(lab.director().read());
  // What was green's goes nowhere: not to another node, and not out of another link.
  const auto tag = lab.client_sends(endpoint("198.51.100.1:4000"), 4, 5);
  CHECK(lab.receivers_so_far(tag).empty());
  CHECK(lab.director().forget(node("green-1")));
  lab.change([](Intent& s) { s.active = {node("blue-1")}; });
  CHECK(lab.node_for(endpoint("198.51.100.1:4000"), 4, 5) == 1);
}

TEST_CASE("attaching a node that nobody knows is refused with its name") {
  Lab lab({node("blue-1")});
  const auto refused = lab.director().attach(node("red-1"));
  REQUIRE_FALSE(refused);
  CHECK(has(refused.error().message, "red-1"));
  Topology empty = topology();
  empty.nodes.clear();
  auto where = weir::network::NetworkNamespace::open(lab.host().name());
  CHECK_FALSE(NftDirector::open(empty, std::move(*where)));
}
