#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "deployer/node/node_world.h"
#include "deployer/node/seal_key.h"

namespace weir::node {

/// A node whose kernel is a value. It does with a change what set_peer and set_device of the
/// kernel's drivers/net/wireguard/netlink.c do, and notes for whom a packet would have left.
class FakeWorld : public NodeWorld {
 public:
  FakeWorld() = default;
  explicit FakeWorld(wireguard::WgDevice kernel) : device(std::move(kernel)) {}
  wireguard::WgDevice device{.interface = "wg0", .private_key = {}, .public_key = {}, .peers = {}};
  std::int64_t clock = 1'760'000'000'000'000'000;
  std::vector<PublicKey> sent;
  std::vector<std::string> said;
  bool powered_off = false;
  std::map<std::string, std::string> files;
  std::string tool_output;

  Result<NodeFacts> facts() override {
    return NodeFacts{.boot_id = "b0071d",
                     .lock_digest = Digest::of(as_bytes("lock")),
                     .kernel_release = "6.1.0-test",
                     .kernel_build_id = "3b43fad5",
                     .modules = {{"wireguard", "1.0.0", "SRC", "98e75bb6"}},
                     .tools = {{"wireguard-tools", "1.0.20210914-1", ""}}};
  }
  Result<wireguard::WgDevice> read_device() override { return device; }
  Status apply(const wireguard::WgChange& change) override {
    if (change.private_key) {
      device.private_key = change.private_key;
      TRY_ASSIGN(device.public_key, public_key_of(*change.private_key));
    }
    if (change.listen_port) device.listen_port = *change.listen_port;
    if (change.replace_peers) device.peers.clear();
    for (const wireguard::WgPeerChange& step : change.peers) apply(step);
    return {};
  }
  std::int64_t clock_unix_ns() override { return clock; }
  Status set_clock(std::int64_t unix_ns) override {
    clock = unix_ns;
    return {};
  }
  Result<std::string> logs() override { return std::string("[0.1] init: up\n"); }
  Result<std::vector<manifests::ServiceReport>> services() override {
    return std::vector<manifests::ServiceReport>{
        {.name = "unbound", .state = manifests::ServiceState::ready, .files = {"key"}}};
  }
  Status put_file(const std::string& name, Bytes content) override {
    if (name != "key") return fail(Errc::not_found, "no service of this image asks for it");
    files[name] = std::string(content.begin(), content.end());
    return {};
  }
  Result<wireguard::SecretBytes> tool_dump() override {
    return wireguard::SecretBytes(tool_output.begin(), tool_output.end());
  }
  void power_off() override { powered_off = true; }
  void say(std::string_view line) override { said.emplace_back(line); }

  wireguard::WgPeer* find(const PublicKey& key) {
    const auto found = std::find_if(device.peers.begin(), device.peers.end(),
                                    [&](const auto& peer) { return peer.public_key == key; });
    return found == device.peers.end() ? nullptr : &*found;
  }

 private:
  void apply(const wireguard::WgPeerChange& step) {
    using Kind = wireguard::WgPeerChange::Kind;
    if (step.kind == Kind::remove) {
      std::erase_if(device.peers,
                    [&](const auto& peer) { return peer.public_key == step.public_key; });
      return;
    }
    wireguard::WgPeer* peer = find(step.public_key);
    if (peer == nullptr) {
      if (step.kind == Kind::update || step.public_key == device.public_key) return;
      device.peers.push_back(
          {.public_key = step.public_key, .preshared_key = {}, .endpoint = {}, .allowed_ips = {}});
      peer = &device.peers.back();
    }
    if (step.preshared_key) {
      peer->preshared_key = step.preshared_key;
      if (step.preshared_key->is_zero()) peer->preshared_key.reset();
    }
    if (step.endpoint) peer->endpoint = step.endpoint;
    if (step.replace_allowed_ips) peer->allowed_ips.clear();
    for (const Prefix& prefix : step.allowed_ips) {
      for (auto& other : device.peers) std::erase(other.allowed_ips, prefix);
      peer->allowed_ips.push_back(prefix);
    }
    if (step.keepalive_seconds) {
      if (peer->keepalive_seconds == 0 && *step.keepalive_seconds != 0) send(*peer);
      peer->keepalive_seconds = *step.keepalive_seconds;
    }
  }

  // Without a session an initiation leaves, unless one left less than 5 s ago (any tx without a
  // session stands for that here); with one, a keepalive.
  void send(wireguard::WgPeer& peer) {
    const bool session = peer.last_handshake_unix_ns != 0;
    if (!peer.endpoint || (!session && peer.tx_bytes != 0)) return;
    peer.tx_bytes += session ? 32 : 148;
    sent.push_back(peer.public_key);
  }
};

}  // namespace weir::node
