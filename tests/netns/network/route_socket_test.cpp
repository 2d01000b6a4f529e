// What rtnetlink was told, read back with ip(8).
#include "deployer/network/edge/route_socket.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "tests/netns/temporary_namespace.h"
#include "tests/patience.h"

namespace weir::network {

using test::shell;
using test::TemporaryNamespace;

namespace {

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}
bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// The error's sentence, so that a failed check says what the kernel said.
std::string why(const Status& status) {
  return status ? "" : status.error().message;
}

}  // namespace

TEST_CASE(
    "links, addresses, routes and rules are what ip(8) then shows, and setting twice is fine") {
  const TemporaryNamespace space("route");
  auto where = NetworkNamespace::open(space.name());
  REQUIRE(where.has_value());
  auto socket = RouteSocket::open(*where);
  REQUIRE(socket.has_value());

  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    CHECK(why(socket->add_link("d1", "veth")) == "");
    CHECK(why(socket->set_link_up("d1", 1400)) == "");
    CHECK(why(socket->add_address("d1", ip("10.9.0.0"), 31)) == "");
    CHECK(why(socket->add_address("d1", ip("fd09::"), 127)) == "");
    CHECK(why(socket->put_route(
              {*Prefix::parse("10.10.0.0/16"), "d1", ip("10.9.0.1"), ip("10.9.0.0")})) == "");
    CHECK(why(socket->put_route({*Prefix::parse("0.0.0.0/0"), "d1", ip("10.9.0.1"), {}, 1007})) ==
          "");
    CHECK(why(socket->put_route({*Prefix::parse("::/0"), "d1", ip("fd09::1"), {}, 7})) == "");
    CHECK(why(socket->put_route({*Prefix::parse("10.11.0.0/16"), "d1", {}, {}})) == "");
    CHECK(why(socket->put_rule({false, 100, 7, 7, {}, {}})) == "");
    CHECK(why(socket->put_rule({true, 101, 7, {}, "d1", {}})) == "");
  }

  const std::string in = "ip -n " + space.name() + " ";
  CHECK(contains(shell(in + "link show d1").text, "mtu 1400"));
  CHECK(contains(shell(in + "addr show d1").text, "inet 10.9.0.0/31"));
  CHECK(contains(shell(in + "addr show d1").text, "inet6 fd09::/127"));
  CHECK(contains(shell(in + "route").text,
                 "10.10.0.0/16 via 10.9.0.1 dev d1 proto static src 10.9.0.0"));
  CHECK(contains(shell(in + "route").text, "10.11.0.0/16 dev d1 proto static scope link"));
  CHECK(contains(shell(in + "route show table 1007").text, "default via 10.9.0.1 dev d1"));
  CHECK(contains(shell(in + "-6 route show table 7").text, "default via fd09::1 dev d1"));
  CHECK(contains(shell(in + "rule").text, "100:\tfrom all fwmark 0x7 lookup 7"));
  CHECK(contains(shell(in + "-6 rule").text, "101:\tfrom all iif d1 lookup 7"));
  CHECK(shell(in + "rule | grep -c '^100:'").text == "1\n");

  const std::string mac = shell(in + "-br link show d1 | awk '{printf \"%s\", $3}'").text;
  CHECK(socket->link_with_mac(mac) == std::string("d1"));
  CHECK(socket->link_with_mac("52:54:00:00:00:01").error().code == Errc::not_found);

  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    CHECK(why(socket->delete_rule({false, 100, 7, 7, {}, {}})) == "");
    CHECK(why(socket->delete_rule({true, 101, 7, {}, "d1", {}})) == "");
    CHECK(why(socket->delete_route({*Prefix::parse("::/0"), "d1", ip("fd09::1"), {}, 7})) == "");
    CHECK(why(socket->delete_route({*Prefix::parse("10.10.0.0/16"), "d1", ip("10.9.0.1"), {}})) ==
          "");
  }
  CHECK_FALSE(contains(shell(in + "rule").text, "100:"));
  CHECK_FALSE(contains(shell(in + "route").text, "10.10.0.0/16"));
  shell(in + "link del d1");
  CHECK_FALSE(*socket->has_link("d1"));
}

TEST_CASE("what does not exist is named") {
  const TemporaryNamespace space("missing");
  auto where = NetworkNamespace::open(space.name());
  REQUIRE(where.has_value());
  auto socket = RouteSocket::open(*where);
  REQUIRE(socket.has_value());
  const auto up = socket->set_link_up("nope");
  REQUIRE_FALSE(up.has_value());
  CHECK(up.error().code == Errc::not_found);
  CHECK(contains(up.error().message, "nope"));
  const auto gone = NetworkNamespace::open("weirt-no-such-namespace");
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code == Errc::not_found);
}

TEST_CASE("a pair of links joins two namespaces, one of them without a name") {
  const TemporaryNamespace space("veth");
  auto where = NetworkNamespace::open(space.name());
  auto other = NetworkNamespace::make();
  REQUIRE(where.has_value());
  REQUIRE(other.has_value());
  auto near = RouteSocket::open(*where), far = RouteSocket::open(*other);
  REQUIRE(near.has_value());
  REQUIRE(far.has_value());
  CHECK(why(near->add_veth("here", "there", *other)) == "");
  CHECK(contains(space.exec("ip -d link show here").text, "veth"));
  CHECK_FALSE(contains(space.exec("ip link").text, "there:"));
  CHECK(*far->has_link("there"));
  CHECK_FALSE(contains(shell("ip link").text, "there:"));
  CHECK(contains(why(near->add_veth("here", "again", *other)), "here"));

  CHECK(why(near->add_address("here", ip("192.0.2.1"), 24)) == "");
  CHECK(why(far->add_address("there", ip("192.0.2.2"), 24)) == "");
  CHECK(why(near->set_link_up("here")) == "");
  CHECK(why(far->set_link_up("there")) == "");
  CHECK(space.exec("ping -n -q -c 1 -W 60 192.0.2.2").status == 0);

  // It goes with its last descriptor, and the pair with it.
  far = RouteSocket::open(*where);
  other = NetworkNamespace::open({});
  CHECK(test::eventually([&] { return !*near->has_link("here"); }));
}

}  // namespace weir::network
