#pragma once

#include "tests/unit/deployer/rollout/fake_world.h"

/// What the world of FakeWorld does with each command.
namespace weir::deployer {

inline Event FakeWorld::on_command(InstallDirector& it) {
  steers = true;
  steering = it.intent;
  return {0, Done{}};
}
inline Event FakeWorld::on_command(RemoveDirector&) {
  steers = false;
  return {0, Done{}};
}
inline Event FakeWorld::on_command(BootPool&) {
  green_runs = true;
  return {0, Booted{boots}};
}
inline Event FakeWorld::on_command(ReadIdentities&) {
  return {0, IdentitiesRead{identities}};
}
inline Event FakeWorld::on_command(FeedNodes& it) {
  return {0, feed(it)};
}
inline Event FakeWorld::on_command(FeedChanges& it) {
  return {0, feed_changes({it.node})};
}
inline Event FakeWorld::on_command(ReadClocks& it) {
  ClocksRead out;
  for (const NodeId& id : it.nodes) out.ahead.emplace(id, clocks[id]);
  return {0, std::move(out)};
}
inline Event FakeWorld::on_command(SetClocks& it) {
  for (const auto& [id, ahead] : it.ahead) {
    if (old_agents.contains(id)) return {0, Failed{Error{Errc::busy, 0, "it has its key"}}};
    if (ahead < clocks[id]) problems.push_back("a clock was set back on " + id.string());
    clocks[id] = ahead;
  }
  return {0, Done{}};
}
inline Event FakeWorld::on_command(ProbeNodes& it) {
  if (probe_fails) return {0, Failed{Error{Errc::timeout, 0, "probe: no handshake"}}};
  probed = it.nodes;
  return {0, Done{}};
}
inline Event FakeWorld::on_command(StopPool&) {
  green_runs = false;
  return {0, Done{}};
}
inline Event FakeWorld::on_command(ReadDirector&) {
  ++director_calls;
  if (loses_director()) return {0, Failed{Error{Errc::not_found, 0, "not installed"}}};
  director::Observed observed;
  observed.steering = steering;
  observed.learned.homes = learned_homes;
  return {0, DirectorRead{observed}};
}
inline Event FakeWorld::on_command(ReadHalted&) {
  return {0, HaltedRead{frozen}};
}
inline Event FakeWorld::on_command(ReadPeers& it) {
  manifests::PeerDump dump{key(0), clock_ns(), {}};
  for (const auto& [k, peer] : peers[it.node]) dump.peers.push_back(peer);
  return {0, PeersRead{dump}};
}
inline Event FakeWorld::on_command(ForgetNode& it) {
  std::erase_if(learned_homes, [&](const auto& home) { return home.second == it.node; });
  return {0, Done{}};
}
inline Event FakeWorld::on_command(ApplyDelta& it) {
  ++director_calls;
  if (loses_director() || refuses_deltas) {
    return {0, Failed{Error{Errc::kernel, 0, "no such table"}}};
  }
  if (std::exchange(busy_once, false)) ++steering.revision;
  if (!director::apply(steering, it.delta)) {
    return {0, Failed{Error{Errc::busy, 0, "another version"}}};
  }
  return {0, Done{}};
}
inline Event FakeWorld::on_command(Kick& it) {
  for (const auto& target : it.clients) {
    auto& client = clients.at(target.public_key);
    auto& state = peers[it.node].at(target.public_key);
    if (client.session == it.node && client.online && client.talks && !frozen.contains(it.node)) {
      problems.push_back("a live session was removed on " + it.node.string());
    }
    state.rx_bytes = 0;
    state.last_handshake_unix_ns = 0;
    state.endpoint = target.endpoint;
    if (client.next == it.node) client.next.reset();
    if (!may_initiate(it.node, target.endpoint)) {
      problems.push_back(it.node.string() + " initiated without the right to");
      continue;
    }
    if (lost() || !client.online || client.endpoint != target.endpoint ||
        client.refuses.contains(it.node) ||
        (rotated.contains(client.key) && stale.contains(it.node)))
      continue;
    state.rx_bytes = 92;
    state.last_handshake_unix_ns = clock_ns();
    client.next = it.node;
    if (!steering.holds.contains({it.node, target.endpoint})) confirm(client, it.node);
  }
  return {0, Done{}};
}
inline void FakeWorld::confirm(FakeClient& client, const NodeId& id) {
  if (client.next != id || lost()) return;
  if (client.deaf_to_commit.erase(id) != 0) return;
  client.session = id;
  client.next.reset();
}
inline Event FakeWorld::on_command(Commit& it) {
  for (const PublicKey& k : it.peers) {
    auto& client = clients.at(k);
    if (steering.holds.contains({it.node, client.endpoint})) {
      problems.push_back("committed under a hold");
      continue;
    }
    confirm(client, it.node);
  }
  return {0, Done{}};
}
inline Event FakeWorld::on_command(GiveUp& it) {
  for (const PublicKey& k : it.peers) {
    if (clients.at(k).session == it.node) problems.push_back("gave up a live session");
    auto& state = peers[it.node].at(k);
    state.endpoint.reset();
    state.last_handshake_unix_ns = 0;
    state.rx_bytes = 0;
    clients.at(k).next.reset();
  }
  return {0, Done{}};
}
inline Event FakeWorld::on_command(Nudge& it) {
  // The longest of a node's allowed IPs says whose the packet is.
  PublicKey whose = key(0);
  int longest = -1;
  for (const auto& [k, peer] : peers[it.node]) {
    for (const Prefix& prefix : peer.allowed_ips) {
      if (!prefix.contains(it.inner) || prefix.length <= longest) continue;
      longest = prefix.length;
      whose = k;
    }
  }
  const auto client = clients.find(whose);
  if (client != clients.end() && client->second.session == it.node && client->second.online) {
    peers[it.node].at(whose).rx_bytes += 96;
  }
  return {0, Done{}};
}

}  // namespace weir::deployer
