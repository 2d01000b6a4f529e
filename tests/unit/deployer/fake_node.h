#pragma once

#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {

/// A node of a FakeFleet, as its API shows it.
class FakeFleet::FakeClient final : public node_client::NodeClient {
 public:
  FakeClient(FakeFleet& fleet, NodeId id) : fleet_(fleet), id_(std::move(id)) {}
  void set_timeout(std::chrono::milliseconds) override {}
  void end_when(const std::atomic<bool>&) override {}
  Result<manifests::NodeIdentity> identity() override {
    return with([&](Node& node) -> Result<manifests::NodeIdentity> {
      return manifests::NodeIdentity{id_,
                                     "boot-" + std::to_string(node.boots),
                                     node.release.lock_digest,
                                     node.release.kernel.release,
                                     node.release.kernel.build_id,
                                     {},
                                     {},
                                     clock_ns() + std::chrono::nanoseconds(node.ahead).count(),
                                     PublicKey::from_raw(node.seal_public),
                                     node.key,
                                     "1"};
    });
  }
  Result<std::chrono::microseconds> clock_offset(int) override {
    return with([&](Node& node) -> Result<std::chrono::microseconds> { return node.ahead; });
  }
  Status set_clock(std::chrono::nanoseconds time) override {
    return with([&](Node& node) -> Status {
      const auto to = std::chrono::duration_cast<std::chrono::microseconds>(
          time - std::chrono::nanoseconds(clock_ns()));
      node.ahead = to;
      return {};
    });
  }
  Status put_private_key(const manifests::SealedPrivateKey& sealed) override {
    return with([&](Node& node) -> Status {
      TRY_ASSIGN(const auto raw, open(node, sealed.sealed));
      TRY_ASSIGN(auto secret, keys::Secret::copy_of(as_bytes(raw)));
      TRY_ASSIGN(node.key, keys::public_key_of(secret));
      return {};
    });
  }
  Result<manifests::PeerDump> peers() override {
    return with([&](Node& node) -> Result<manifests::PeerDump> {
      if (!node.key) return fail(Errc::busy, "the private key has not arrived yet");
      for (auto& [key, client] : fleet_.clients) {
        if (client.session == id_) node.peers.at(key).rx_bytes += 100;
      }
      manifests::PeerDump out{*node.key, clock_ns(), {}};
      for (const auto& [key, peer] : node.peers) out.peers.push_back(peer);
      return out;
    });
  }
  Status apply(const manifests::PeerDiff& diff) override {
    return with([&](Node& node) -> Status {
      for (const PublicKey& key : diff.remove) {
        if (node.peers.erase(key) != 0) lose(key);
        node.preshared.erase(key);
      }
      for (const manifests::PeerSpec& spec : diff.put) {
        std::string secret;
        if (spec.sealed_preshared_key) {
          TRY_ASSIGN(secret, open(node, *spec.sealed_preshared_key));
        }
        auto& peer =
            node.peers
                .try_emplace(spec.public_key,
                             manifests::PeerState{spec.public_key, {}, false, {}, 0, 0, 0, 0})
                .first->second;
        peer.allowed_ips = spec.allowed_ips;
        peer.has_preshared_key = !secret.empty();
        if (spec.endpoint) peer.endpoint = spec.endpoint;
        node.preshared[spec.public_key] = secret;
        node.put.insert(spec.public_key);
      }
      return {};
    });
  }
  Status prepare(const manifests::PrepareRequest& request) override {
    return with([&](Node& node) -> Status {
      fleet_.on_prepare(fleet_, id_);
      for (const auto& target : request.clients) {
        const auto peer = node.peers.find(target.public_key);
        if (peer == node.peers.end()) return fail(Errc::not_found, "no such peer");
        peer->second.endpoint = target.endpoint;
        peer->second.last_handshake_unix_ns = 0;
        peer->second.rx_bytes = 0;
        const auto client = fleet_.clients.find(target.public_key);
        if (client == fleet_.clients.end()) continue;
        if (client->second.session == id_) lose(target.public_key);
        if (node.preshared[target.public_key] != client->second.preshared ||
            client->second.endpoint != target.endpoint) {
          continue;
        }
        peer->second.last_handshake_unix_ns = clock_ns();
        peer->second.rx_bytes = 92;
        if (!fleet_.steering.holds.contains({id_, target.endpoint})) client->second.session = id_;
      }
      return {};
    });
  }
  Status commit(const manifests::PeerSelection& selection) override {
    return with([&](Node& node) -> Status {
      for (const PublicKey& key : selection.peers) {
        const auto client = fleet_.clients.find(key);
        if (client == fleet_.clients.end()) continue;
        if (node.peers.at(key).last_handshake_unix_ns != 0) client->second.session = id_;
      }
      fleet_.on_commit(fleet_, id_);
      return {};
    });
  }
  Status give_up(const manifests::PeerSelection& selection) override {
    return with([&](Node& node) -> Status {
      for (const PublicKey& key : selection.peers) {
        const auto peer = node.peers.find(key);
        if (peer == node.peers.end()) continue;
        peer->second.endpoint.reset();
        peer->second.last_handshake_unix_ns = 0;
        peer->second.rx_bytes = 0;
      }
      return {};
    });
  }
  Status drain() override { return {}; }
  Result<std::string> logs() override { return std::string(); }
  Result<std::vector<manifests::ServiceReport>> services() override {
    return with(
        [&](Node& node) -> Result<std::vector<manifests::ServiceReport>> { return node.services; });
  }
  Status put_file(const manifests::SealedFile& file) override {
    return with([&](Node& node) -> Status {
      TRY_ASSIGN(node.files[file.name], open(node, file.sealed));
      for (auto& service : node.services) {
        if (service.waits_for == "file " + file.name) {
          service.waits_for.clear();
          service.state = manifests::ServiceState::ready;
        }
      }
      return {};
    });
  }
  Result<std::string> tool_dump() override { return std::string(); }
  Status power_off() override { return {}; }

 private:
  template <class Work>
  auto with(Work work) -> decltype(work(std::declval<Node&>())) {
    const std::lock_guard guard(fleet_.lock);
    Node& node = fleet_.nodes.at(id_);
    if (node.machine != pool::MachineState::running || !node.answers) {
      return fail(Errc::timeout, "node " + id_.string() + ": no answer");
    }
    return work(node);
  }
  static Result<std::string> open(const Node& node, const std::string& sealed) {
    TRY_ASSIGN(const auto bytes, parse_base64(sealed));
    std::string out(bytes.size() - crypto_box_SEALBYTES, '\0');
    if (crypto_box_seal_open(reinterpret_cast<unsigned char*>(out.data()),
                             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                             node.seal_public.data(), node.seal_private.data()) != 0) {
      return fail(Errc::unauthorized, "sealed to another key");
    }
    return out;
  }
  void lose(const PublicKey& key) {
    const auto client = fleet_.clients.find(key);
    if (client == fleet_.clients.end() || client->second.session != id_) return;
    client->second.session.reset();
    ++client->second.lost;
  }

  FakeFleet& fleet_;
  NodeId id_;
};

}  // namespace weir::deployer
