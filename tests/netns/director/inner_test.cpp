// Rule 4 and the fences: packets inside tunnels.
#include <doctest/doctest.h>

#include "deployer/orders/steering_plan.h"
#include "deployer/rollout/terms/plan.h"
#include "tests/folders.h"
#include "tests/netns/director/lab.h"
#include "tests/unit/deployer/director/fixture.h"

using namespace weir::director;
using namespace weir::director::test;

namespace {

struct Inside {
  const char* client;
  const char* first;   ///< on blue-1 and green-1
  const char* second;  ///< on blue-2
  const char* upstream;
};
const Inside kFamilies[] = {{"10.9.0.5", "10.9.0.6", "10.9.0.7", Lab::kUpstream4},
                            {"fd09::5", "fd09::6", "fd09::7", Lab::kUpstream6}};

}  // namespace

TEST_CASE("inner packets follow their client from node to node") {
  Lab lab({node("blue-1")});
  for (const auto& inside : kFamilies) {
    const auto client = address(inside.client);
    const auto upstream = address(inside.upstream);
    CAPTURE(inside.client);
    CHECK(lab.node_for_inner(client) == 1);  // nobody knows better than the active node
    for (const std::uint32_t number : {3U, 2U, 3U, 1U}) {
      CAPTURE(number);
      CHECK(lab.receivers(lab.inner_sends(number, client, upstream)) ==
            std::multiset<std::string>{"upstream"});
      CHECK(lab.node_for_inner(client) == number);
    }
    CHECK(lab.director().read()->learned.inner.at(client) == node("blue-1"));
  }
}

TEST_CASE("what was not learned follows its assignment, the longest prefix first") {
  Lab lab({node("blue-1")});
  lab.change([](Intent& s) {
    s.assigned = {
        {prefix("10.9.0.0/16"), node("blue-2")},   {prefix("10.9.1.0/24"), node("green-1")},
        {prefix("10.9.1.128/25"), node("blue-1")}, {prefix("10.9.1.200/32"), node("green-1")},
        {prefix("fd09::/64"), node("green-1")},    {prefix("fd09::5/128"), node("blue-2")}};
  });
  CHECK(lab.node_for_inner(address("10.9.0.5")) == 2);
  CHECK(lab.node_for_inner(address("10.9.1.7")) == 3);
  CHECK(lab.node_for_inner(address("10.9.1.129")) == 1);
  CHECK(lab.node_for_inner(address("10.9.1.200")) == 3);
  CHECK(lab.node_for_inner(address("fd09::5")) == 2);
  lab.change([](Intent& s) {
    s.assigned.erase(prefix("10.9.1.128/25"));
    s.assigned.insert_or_assign(prefix("10.9.1.192/26"), node("blue-2"));
    s.assigned.erase(prefix("fd09::5/128"));
  });
  CHECK(lab.node_for_inner(address("10.9.1.129")) == 3);
  CHECK(lab.node_for_inner(address("10.9.1.193")) == 2);
  CHECK(lab.node_for_inner(address("10.9.1.200")) == 3);
  CHECK(lab.node_for_inner(address("fd09::5")) == 3);
}

namespace {

/// A key whose peer `nodes` takes there, as every rollout would have it.
weir::PublicKey key_for(const weir::NodeId& wanted, const std::vector<weir::NodeId>& nodes) {
  for (std::uint8_t n = 1;; ++n) {
    const auto key = weir::PublicKey::from_raw({n, n, n, n});
    if (weir::deployer::node_for(key, nodes) == wanted) return key;
  }
}

weir::manifests::Peer peer(const weir::PublicKey& key, const char* block4, const char* block6) {
  return {"", key, {prefix(block4), prefix(block6)}, {}, {}};
}

}  // namespace

TEST_CASE("a peer inside another peer's block keeps its own node, whatever becomes of the block") {
  namespace deployer = weir::deployer;
  const std::vector<weir::NodeId> blue = {node("blue-1"), node("blue-2")};
  const weir::manifests::PoolSpec pool{*weir::PoolName::parse("blue"), "vm", blue};
  const auto text = weir::read_file(weir::test::source_folder() + "/examples/fleet.yaml",
                                    weir::ByteCount{1 << 20});
  REQUIRE(text.has_value());
  auto fleet = weir::manifests::parse_fleet(*text);
  REQUIRE(fleet.has_value());
  fleet->pools = {pool};
  deployer::Documents documents{".", *std::move(fleet), {}, {}};
  const auto site = key_for(node("blue-1"), blue), host = key_for(node("blue-2"), blue);
  documents.peers.emplace(site, peer(site, "10.9.1.0/24", "fd09::4/126"));
  documents.peers.emplace(host, peer(host, "10.9.1.7/32", "fd09::5/128"));

  Lab lab({node("green-1")});
  deployer::Observed observed;
  observed.director = *lab.director().read();
  const Intent wanted = deployer::registered_steering(documents, observed, pool.name);
  lab.change([&](Intent& s) { s.assigned = wanted.assigned; });
  CHECK(lab.node_for_inner(address("10.9.0.5")) == 3);  // nobody's: the active node's
  const std::pair<const char*, const char*> addresses[] = {{"10.9.1.7", "10.9.1.8"},
                                                           {"fd09::5", "fd09::6"}};
  for (const auto& [inside, around] : addresses) {
    const auto& shown = inside;
    CAPTURE(shown);
    CHECK(lab.node_for_inner(address(inside)) == 2);
    CHECK(lab.node_for_inner(address(around)) == 1);
  }
  lab.change([&](Intent& s) {
    s.assigned.insert_or_assign(prefix("10.9.1.0/24"), node("green-1"));
    s.assigned.insert_or_assign(prefix("fd09::4/126"), node("green-1"));
  });
  for (const auto& [inside, around] : addresses) {
    const auto& shown = inside;
    CAPTURE(shown);
    CHECK(lab.node_for_inner(address(inside)) == 2);
    CHECK(lab.node_for_inner(address(around)) == 3);
  }
  // And out of it: its address is the block's again.
  documents.peers.erase(host);
  observed.director = *lab.director().read();
  const Intent without = deployer::registered_steering(documents, observed, pool.name);
  lab.change([&](Intent& s) { s.assigned = without.assigned; });
  for (const auto& [inside, around] : addresses) {
    CHECK(lab.node_for_inner(address(inside)) == 3);
  }
}

TEST_CASE("assigning an address anew forgets what was learned about it, until it speaks again") {
  Lab lab({node("blue-1")});
  for (const auto& inside : kFamilies) {
    const auto client = address(inside.client);
    CAPTURE(inside.client);
    const weir::Prefix own{client, static_cast<std::uint8_t>(client.is_v4() ? 32 : 128)};
    REQUIRE(lab.receivers(lab.inner_sends(1, client, address(inside.upstream))).size() == 1);
    REQUIRE(lab.node_for_inner(client) == 1);
    lab.change([&](Intent& s) { s.assigned.insert_or_assign(own, node("green-1")); });
    CHECK(lab.node_for_inner(client) == 3);
    REQUIRE(lab.receivers(lab.inner_sends(2, client, address(inside.upstream))).size() == 1);
    CHECK(lab.node_for_inner(client) == 2);
  }
}

TEST_CASE("clients of different nodes reach each other through the director") {
  Lab lab({node("blue-1")});
  for (const auto& inside : kFamilies) {
    CAPTURE(inside.client);
    // Client 7 speaks first, so that it is known to live on blue-2.
    REQUIRE(lab.receivers(lab.inner_sends(2, address(inside.second), address(inside.upstream)))
                .size() == 1);
    CHECK(lab.receivers(lab.inner_sends(1, address(inside.first), address(inside.second))) ==
          std::multiset<std::string>{"inner2"});
    CHECK(lab.receivers(lab.inner_sends(3, address(inside.first), address(inside.second))) ==
          std::multiset<std::string>{"inner2"});
  }
}

TEST_CASE("inner packets to nodes, the public address, management and the director go nowhere") {
  Lab lab({node("blue-1")});
  std::uint64_t fenced = 0;
  for (const char* target : {"192.0.2.1", "100.64.0.1", "100.64.0.2", "100.64.0.5", "100.65.0.1",
                             "100.65.0.3", "203.0.113.1", "192.168.77.1", "2001:db8::1",
                             "fd00:64::3", "fd00:64::4", "2001:db8:2::1"}) {
    CAPTURE(target);
    const auto to = address(target);
    if (to.is_v6() && to == address("2001:db8::1")) {
      // The node has it itself, as every node does: what arrives there never leaves the node.
      continue;
    }
    if (to == address("192.0.2.1") || to == address("100.64.0.1") || to == address("100.65.0.1")) {
      continue;  // likewise
    }
    lab.inner_passes(1, address(to.is_v6() ? "fd09::5" : "10.9.0.5"), to, "");
    CHECK(lab.counter("fenced") > fenced);
    fenced = lab.counter("fenced");
  }
}

TEST_CASE("only root's sockets reach a node's management address from the director's host") {
  Lab lab({node("blue-1")});
  const std::string to = lab.topology().nodes.front().node_management.string();
  const auto as = [&](const std::string& user, const std::string& how) {
    return lab.host().exec("setpriv --reuid " + user + " --clear-groups timeout 5 bash -c '" + how +
                           "'");
  };
  const std::string say = "echo x > /dev/udp/" + to + "/4433";
  CHECK(as("0", say).status == 0);
  const std::uint64_t fenced = lab.counter("fenced");
  // Whoever sends a packet that nft drops on its way out is told so (EPERM).
  const auto refused = as("65534", say);
  CHECK(refused.status != 0);
  CHECK(refused.text.find("Operation not permitted") != std::string::npos);
  CHECK(lab.counter("fenced") == fenced + 1);
  // Nobody listens: root is told so, and nobody else hears anything of the node.
  const std::string call = "exec 3<>/dev/tcp/" + to + "/4433";
  CHECK(as("0", call).text.find("refused") != std::string::npos);
  CHECK(as("65534", call).text.find("refused") == std::string::npos);
  CHECK(lab.counter("fenced") > fenced + 1);
}

TEST_CASE("nothing but clients speaks from inside a tunnel") {
  Lab lab({node("blue-1")});
  // A node that forwards a source that is no client's, its own link address included.
  REQUIRE(lab.node(1).exec("ip route add local 172.16.0.1/32 dev lo").status == 0);
  REQUIRE(lab.node(1).exec("ip route add local fd99::1/128 dev lo").status == 0);
  CHECK_FALSE(lab.inner_passes(1, address("172.16.0.1"), address(Lab::kUpstream4), "upstream"));
  CHECK_FALSE(lab.inner_passes(1, address("fd99::1"), address(Lab::kUpstream6), "upstream"));
  CHECK_FALSE(lab.inner_passes(1, address("100.64.0.1"), address(Lab::kUpstream4), "upstream"));
  CHECK(lab.counter("unknown_source") == 3);
  CHECK(lab.director().read()->learned.inner.size() == 2);  // the passing packets' alone
}

TEST_CASE("decrypted packets leave upstream or to a node, and nowhere else") {
  Lab lab({node("blue-1")});
  // Outside is not upstream: 198.51.100.1 is only reached over the public side.
  const auto outside = address("198.51.100.1");
  (void)lab.client_sends(endpoint("198.51.100.1:7000"), 1, 1);
  CHECK_FALSE(lab.inner_passes(1, address("10.9.0.5"), outside, "client 198.51.100.1:7000"));
  CHECK(lab.counter("fenced") == 1);
}

TEST_CASE("what is outside cannot reach nodes past steering") {
  Lab lab({node("blue-1")});
  const auto out = lab.outside().exec("ping -c1 -W1 100.64.0.1");
  CHECK(out.status != 0);
  CHECK(lab.outside().exec("ping -c1 -W1 100.65.0.1").status != 0);
  CHECK(lab.outside().exec("ping -6 -c1 -W1 fd00:64::1").status != 0);
  CHECK(lab.node(2).exec("ping -c1 -W1 100.65.0.0").status != 0);
  CHECK(lab.host().exec("ping -c1 -W3 100.65.0.1").status == 0);  // the deployer's own way
}
