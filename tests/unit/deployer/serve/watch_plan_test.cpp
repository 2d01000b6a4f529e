// What watching a fleet makes necessary, decided from one look.
#include "deployer/serve/watch_plan.h"

#include <doctest/doctest.h>

namespace weir::deployer {
namespace {

NodeId node(const char* name) {
  return *NodeId::parse(name);
}

PublicKey key(std::uint8_t n) {
  std::array<std::uint8_t, 32> raw{};
  raw[0] = n;
  return PublicKey::from_raw(raw);
}

Endpoint endpoint(const char* text) {
  return *Endpoint::parse(text);
}

manifests::PeerState peer(std::uint8_t n, std::optional<Endpoint> at) {
  return {key(n), {}, false, at, 1, 200, 200, 0};
}

NodeSeen seen(const char* boot, bool keyed, std::vector<manifests::PeerState> peers) {
  NodeSeen out;
  out.machine = pool::MachineState::running;
  out.identity = manifests::NodeIdentity{
      node("blue-1"), boot, Digest::of({}), "6.1", "b", {}, {}, 1, key(99), {}, "1"};
  if (!keyed) return out;
  out.identity->wireguard_key = key(98);
  out.dump = manifests::PeerDump{key(98), 1, std::move(peers)};
  return out;
}

/// Two nodes, of which blue is the active one, and two registered clients that live on it.
struct Fleet {
  Documents documents{".",
                      {.name = *FleetName::parse("t"),
                       .state = {},
                       .store = {},
                       .trusted_keys = {},
                       .identity = {},
                       .identity_key_file = {},
                       .peers = {},
                       .directors = {},
                       .vip = {},
                       .clients = {},
                       .probe = {},
                       .pools = {},
                       .policy = {}},
                      {},
                      {}};
  Observed observed;
  Watched watched;

  Fleet() {
    for (const std::uint8_t n : {1, 2}) {
      documents.peers.emplace(key(n), manifests::Peer{"", key(n), {}, {}, {}});
    }
    observed.installed = true;
    observed.director.emplace();
    observed.director->steering.active = director::equal_weights({node("blue-1")});
    observed.director->steering.homes = {{endpoint("192.0.2.1:1"), node("blue-1")},
                                         {endpoint("192.0.2.2:1"), node("blue-1")}};
    observed.nodes.emplace(
        node("blue-1"),
        seen("a", true, {peer(1, endpoint("192.0.2.1:1")), peer(2, endpoint("192.0.2.2:1"))}));
    observed.nodes.emplace(node("green-1"),
                           seen("b", true, {peer(1, std::nullopt), peer(2, std::nullopt)}));
  }
  WatchPlan look() { return plan_watch(documents, observed, watched); }
};

}  // namespace

TEST_CASE("the idle pool is told where clients are, once") {
  Fleet fleet;
  WatchPlan plan = fleet.look();
  CHECK(plan.remember.size() == 2);
  REQUIRE(plan.mirror.contains(node("green-1")));
  CHECK(plan.mirror.at(node("green-1")).size() == 2);
  CHECK_FALSE(plan.mirror.contains(node("blue-1")));
  // It took them.
  auto& idle = *fleet.observed.nodes.at(node("green-1")).dump;
  idle.peers = {peer(1, endpoint("192.0.2.1:1")), peer(2, endpoint("192.0.2.2:1"))};
  plan = fleet.look();
  CHECK(plan.mirror.empty());
  CHECK(plan.remember.empty());
  // One roams: it is remembered and told anew.
  fleet.observed.director->steering.homes.emplace(endpoint("192.0.2.1:9"), node("blue-1"));
  fleet.observed.nodes.at(node("blue-1")).dump->peers[0].endpoint = endpoint("192.0.2.1:9");
  plan = fleet.look();
  REQUIRE(plan.remember.size() == 1);
  CHECK(plan.remember[0].endpoint == endpoint("192.0.2.1:9"));
  REQUIRE(plan.mirror.at(node("green-1")).size() == 1);
  CHECK(plan.mirror.at(node("green-1"))[0].key == key(1));
}

TEST_CASE("a client whom the registry lost is not told to anybody") {
  Fleet fleet;
  fleet.documents.peers.erase(key(2));
  const WatchPlan plan = fleet.look();
  REQUIRE(plan.mirror.at(node("green-1")).size() == 1);
  CHECK(plan.mirror.at(node("green-1"))[0].key == key(1));
}

TEST_CASE("a node that was booted again is revived and calls the clients whose home it is") {
  Fleet fleet;
  CHECK(fleet.look().revivals.empty());
  fleet.observed.clients = {{key(1), {endpoint("192.0.2.1:1"), node("blue-1")}},
                            {key(2), {endpoint("192.0.2.2:1"), node("green-1")}},
                            {key(3), {endpoint("192.0.2.3:1"), node("blue-1")}}};
  fleet.observed.nodes.at(node("blue-1")) = seen("other", false, {});
  const WatchPlan plan = fleet.look();
  REQUIRE(plan.revivals.size() == 1);
  CHECK(plan.revivals[0].node == node("blue-1"));
  CHECK(plan.revivals[0].boot_id == "other");
  // The second lives elsewhere, the third is in no registry.
  REQUIRE(plan.revivals[0].calls.size() == 1);
  CHECK(plan.revivals[0].calls[0].public_key == key(1));
  fleet.observed.nodes.at(node("blue-1")) = seen("other", true, {});
  CHECK(fleet.look().revivals.empty());
}

TEST_CASE("a node's trouble is said once, and its end too") {
  Fleet fleet;
  CHECK(fleet.look().say.empty());
  fleet.observed.nodes.at(node("blue-1")) = NodeSeen{};
  fleet.observed.nodes.at(node("blue-1")).trouble = "no answer";
  CHECK(fleet.look().say == std::vector<std::string>{"node blue-1: no answer"});
  CHECK(fleet.look().say.empty());
  fleet.observed.nodes.at(node("blue-1")) = seen("a", true, {});
  CHECK(fleet.look().say == std::vector<std::string>{"node blue-1 answers again"});
}

TEST_CASE("nothing is done to a fleet whose director cannot be read") {
  Fleet fleet;
  fleet.observed.director.reset();
  fleet.observed.nodes.at(node("blue-1")) = seen("other", false, {});
  const WatchPlan plan = fleet.look();
  CHECK(plan.revivals.empty());
  CHECK(plan.mirror.empty());
  CHECK(plan.remember.empty());
}

}  // namespace weir::deployer
