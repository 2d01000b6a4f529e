#include "deployer/commands/fleet_draft.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "manifests/documents/attachment.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"

namespace weir::deployer {
namespace {

// RFC 7748, 6.1.
const PublicKey kAlice = *PublicKey::parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=");
const PublicKey kBob = *PublicKey::parse("3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=");

FleetAnswers answers() {
  FleetAnswers out;
  out.vip = {*IpAddress::parse("198.51.100.1")};
  out.upstream_interface = "eth1";
  out.clients = {*Prefix::parse("10.8.0.0/16")};
  return out;
}

manifests::Fleet fleet_of(const FleetAnswers& given) {
  const auto draft = draft_fleet(given);
  INFO((draft ? draft->fleet : draft.error().message));
  REQUIRE(draft.has_value());
  const auto fleet = manifests::parse_fleet(draft->fleet);
  REQUIRE(fleet.has_value());
  return *fleet;
}

std::string refusal(const FleetAnswers& given) {
  const auto draft = draft_fleet(given);
  return draft ? "accepted" : draft.error().message;
}

}  // namespace

TEST_CASE("three answers are a fleet of two pools of one node") {
  const manifests::Fleet fleet = fleet_of(answers());
  CHECK(fleet.name.string() == "gateway");
  CHECK(fleet.vip.ipv4 == IpAddress::parse("198.51.100.1").value());
  CHECK_FALSE(fleet.vip.ipv6);
  CHECK(fleet.vip.port == 51820);
  CHECK(fleet.directors[0].upstream_interface == "eth1");
  CHECK_FALSE(fleet.directors[0].network_namespace);
  REQUIRE(fleet.pools.size() == 2);
  CHECK(fleet.pools[0].name.string() == "blue");
  CHECK(fleet.pools[1].nodes.at(0).string() == "green-1");
  CHECK_FALSE(fleet.probe);
  CHECK_FALSE(fleet.identity_key_file);
}

TEST_CASE("every answer is in the document, odd paths too") {
  FleetAnswers given = answers();
  given.name = "edge-7";
  given.vip.push_back(*IpAddress::parse("2001:db8:51::1"));
  given.port = 443;
  given.network_namespace = "12";
  given.clients.push_back(*Prefix::parse("fd00:8::/64"));
  given.probe_target = *IpAddress::parse("203.0.113.10");
  given.nodes = 3;
  given.state = "/var/lib/it's here";
  given.store = "../a store: big";
  given.trusted_key = "-keys/release.pub";
  given.identity_key_file = "true";
  const manifests::Fleet fleet = fleet_of(given);
  CHECK(fleet.name.string() == "edge-7");
  CHECK(fleet.vip.ipv6 == IpAddress::parse("2001:db8:51::1").value());
  CHECK(fleet.vip.port == 443);
  CHECK(fleet.directors[0].network_namespace == "12");
  CHECK(fleet.clients.size() == 2);
  REQUIRE(fleet.probe.has_value());
  CHECK(fleet.probe->source.string() == "10.8.255.254");
  CHECK(fleet.pools[1].nodes.size() == 3);
  CHECK(fleet.state == "/var/lib/it's here");
  CHECK(fleet.store == "../a store: big");
  CHECK(fleet.trusted_keys == std::vector<std::string>{"-keys/release.pub"});
  CHECK(fleet.identity_key_file == "true");
}

TEST_CASE("the fabric keeps away from clients and the public address") {
  FleetAnswers given = answers();
  given.clients = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("fd00:fab::/48")};
  given.vip = {*IpAddress::parse("172.31.0.9"), *IpAddress::parse("fd00:fab:1::1")};
  const manifests::Fleet fleet = fleet_of(given);
  const manifests::Fabric& fabric = fleet.directors.front().fabric;
  CHECK(fabric.ipv4.string() == "172.31.1.0/24");
  CHECK(fabric.management.string() == "172.31.2.0/24");
  CHECK(fabric.ipv6.string() == "fd00:fab:2::/64");
}

TEST_CASE("as many nodes as are taken have links") {
  FleetAnswers given = answers();
  given.nodes = 63;
  CHECK(manifests::attachments_of(fleet_of(given)).has_value());
}

TEST_CASE("peers get an address of every network, from the second on") {
  FleetAnswers given = answers();
  given.clients.push_back(*Prefix::parse("fd00:8::/64"));
  given.new_peers = {{"alice", kAlice}, {"bob", kBob}};
  const auto draft = draft_fleet(given);
  REQUIRE(draft.has_value());
  const auto peers = manifests::parse_peers(draft->peers);
  REQUIRE(peers.has_value());
  REQUIRE(peers->size() == 2);
  CHECK(peers->at(0).name == "alice");
  CHECK(peers->at(0).public_key == kAlice);
  CHECK(peers->at(0).allowed_ips ==
        std::vector<Prefix>{*Prefix::parse("10.8.0.2/32"), *Prefix::parse("fd00:8::2/128")});
  CHECK(peers->at(1).allowed_ips.at(0).string() == "10.8.0.3/32");
  CHECK(draft_fleet(answers())->peers.empty());
}

TEST_CASE("the probe's address is no peer's") {
  FleetAnswers given = answers();
  given.clients = {*Prefix::parse("10.8.0.0/29")};
  given.probe_target = *IpAddress::parse("203.0.113.10");
  given.new_peers = {{"a", kAlice}, {"b", kBob}};
  CHECK(fleet_of(given).probe->source.string() == "10.8.0.6");
  given.clients = {*Prefix::parse("10.8.0.0/30")};  // .2 is the probe's
  CHECK(refusal(given) == "--clients: 10.8.0.0/30 has no address left for peer a");
}

TEST_CASE("an answer that cannot be is refused by its option's name") {
  const auto with = [](auto change) {
    FleetAnswers given = answers();
    change(given);
    return refusal(given);
  };
  CHECK(with([](auto& it) { it.vip.clear(); }).starts_with("--vip: "));
  CHECK(with([](auto& it) { it.vip.assign(2, it.vip[0]); }).starts_with("--vip: at most one"));
  CHECK(with([](auto& it) { it.clients.clear(); }).starts_with("--clients: "));
  CHECK(with([](auto& it) { it.upstream_interface.clear(); }).starts_with("--upstream: "));
  CHECK(with([](auto& it) { it.nodes = 0; }).starts_with("--nodes: "));
  CHECK(with([](auto& it) { it.nodes = 64; }).starts_with("--nodes: "));
  CHECK(with([](auto& it) {
          it.probe_target = *IpAddress::parse("2001:db8::1");
        }).starts_with("--probe: "));
  CHECK(with([](auto& it) {
          it.new_peers = {{"a", kAlice}, {"a", kBob}};
        }).find("'a'") != std::string::npos);
  CHECK(with([](auto& it) {
          it.clients = {*Prefix::parse("10.0.0.0/8"), *Prefix::parse("172.16.0.0/12"),
                        *Prefix::parse("192.168.0.0/16")};
        }).starts_with("--clients: leaves no"));
}

}  // namespace weir::deployer
