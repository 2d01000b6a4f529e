#include "deployer/rollout/terms/inner_owners.h"

#include <doctest/doctest.h>

#include "tests/unit/deployer/rollout/fake_world.h"

namespace weir::deployer {
namespace {

using Registry = std::map<PublicKey, manifests::Peer>;

void add(Registry& registry, unsigned n, std::initializer_list<const char*> prefixes) {
  manifests::Peer peer{"client-" + std::to_string(n), FakeWorld::key(n), {}, {}, {}};
  for (const char* prefix : prefixes) peer.allowed_ips.push_back(*Prefix::parse(prefix));
  registry.emplace(peer.public_key, std::move(peer));
}

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

std::optional<IpAddress> address_of(const Registry& registry, unsigned n) {
  return InnerOwners(registry).address_of(registry.at(FakeWorld::key(n)));
}

}  // namespace

TEST_CASE("a peer's address is its own, whatever others hold inside its block") {
  Registry registry;
  SUBCASE("nothing") {
    add(registry, 1, {"10.8.0.0/24"});
    CHECK(address_of(registry, 1) == address("10.8.0.0"));
  }
  SUBCASE("the first address") {
    add(registry, 1, {"10.8.0.0/24"});
    add(registry, 2, {"10.8.0.0/32"});
    add(registry, 3, {"10.8.0.1/32"});
    CHECK(address_of(registry, 1) == address("10.8.0.2"));
    CHECK(address_of(registry, 2) == address("10.8.0.0"));
  }
  SUBCASE("blocks in blocks") {
    add(registry, 1, {"10.8.0.0/16"});
    add(registry, 2, {"10.8.0.0/17"});
    add(registry, 3, {"10.8.0.0/24"});
    CHECK(address_of(registry, 1) == address("10.8.128.0"));
    CHECK(address_of(registry, 2) == address("10.8.1.0"));
    CHECK(address_of(registry, 3) == address("10.8.0.0"));
  }
  SUBCASE("all of it: the next of its blocks counts, or there is none") {
    add(registry, 1, {"10.8.0.0/31", "fd00::/127"});
    add(registry, 2, {"10.8.0.0/32"});
    add(registry, 3, {"10.8.0.1/32"});
    CHECK(address_of(registry, 1) == address("fd00::"));
    add(registry, 4, {"fd00::/128"});
    add(registry, 5, {"fd00::1/128"});
    CHECK_FALSE(address_of(registry, 1));
  }
  SUBCASE("the end of all addresses") {
    add(registry, 1, {"255.255.255.255/32"});
    add(registry, 2, {"255.255.255.254/31"});
    CHECK(address_of(registry, 2) == address("255.255.255.254"));
    CHECK(address_of(registry, 1) == address("255.255.255.255"));
  }
}

TEST_CASE("a nudge goes to an address of the client, not to another's inside its block") {
  FakeWorld world(1, 3);
  auto& peer = world.registry.at(FakeWorld::key(1));
  peer.allowed_ips = {*Prefix::parse("10.0.50.0/24")};
  world.add_to_registry(200);
  world.registry.at(FakeWorld::key(200)).allowed_ips = {*Prefix::parse("10.0.50.0/32")};
  world.clients.at(FakeWorld::key(1)).talks = false;
  for (const NodeId& node : world.blue)
    world.peers[node].at(FakeWorld::key(1)).allowed_ips = peer.allowed_ips;
  std::vector<JournalRecord> journal;
  world.journal = &journal;
  const Plan plan = world.deploy_plan();
  const State state = world.run(plan, start(plan));
  CHECK(state.rollout.outcome == Outcome::done);
  CHECK(world.on(world.green) == 3);
  std::size_t nudges = 0;
  for (const JournalRecord& record : journal) {
    for (const Ordered& ordered : record.commands) {
      const auto* nudge = std::get_if<Nudge>(&ordered.command);
      if (nudge == nullptr) continue;
      ++nudges;
      CHECK(nudge->inner == address("10.0.50.1"));
    }
  }
  CHECK(nudges != 0);
}

}  // namespace weir::deployer
