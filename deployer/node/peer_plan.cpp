#include "deployer/node/peer_plan.h"

#include <algorithm>
#include <set>

namespace weir::node {
namespace {

using wireguard::SecretKey;
using wireguard::WgChange;
using wireguard::WgDevice;
using wireguard::WgPeer;
using wireguard::WgPeerChange;
using Kind = WgPeerChange::Kind;

WgChange change_of(const WgDevice& device) {
  return {.interface = device.interface,
          .private_key = {},
          .listen_port = {},
          .fwmark = {},
          .peers = {}};
}

WgPeerChange step(const PublicKey& key, Kind kind) {
  return {.public_key = key,
          .kind = kind,
          .preshared_key = {},
          .endpoint = {},
          .keepalive_seconds = {},
          .allowed_ips = {}};
}

/// Peers by key, for looking up what a request names. Refers to the device.
class Known {
 public:
  explicit Known(const WgDevice& device) {
    for (const WgPeer& peer : device.peers) peers_.emplace(peer.public_key, &peer);
  }
  [[nodiscard]] const WgPeer* find(const PublicKey& key) const {
    const auto found = peers_.find(key);
    return found == peers_.end() ? nullptr : found->second;
  }
  [[nodiscard]] Result<const WgPeer*> at(const PublicKey& key) const {
    const WgPeer* peer = find(key);
    if (peer == nullptr)
      return fail(Errc::not_found, "peer " + key.string() + " is not on this node");
    return peer;
  }

 private:
  std::map<PublicKey, const WgPeer*> peers_;
};

/// Refuses keys that stand twice.
class Once {
 public:
  Status see(const PublicKey& key) {
    if (seen_.insert(key).second) return {};
    return fail(Errc::invalid_input, "peer " + key.string() + " stands twice");
  }

 private:
  std::set<PublicKey> seen_;
};

bool is_pristine(const WgPeer& peer) {
  return peer.last_handshake_unix_ns == 0 && peer.rx_bytes == 0 && peer.tx_bytes == 0;
}

/// Removes a peer and adds it with the same keys and allowed IPs: sessions, counters, timers and
/// endpoint are gone.
void start_over(const WgPeer& peer, std::vector<WgPeerChange>& steps) {
  steps.push_back(step(peer.public_key, Kind::remove));
  WgPeerChange again = step(peer.public_key, Kind::put);
  again.preshared_key = peer.preshared_key;
  again.replace_allowed_ips = true;
  again.allowed_ips = peer.allowed_ips;
  steps.push_back(std::move(again));
}

void add_edge(const WgPeer& peer, std::optional<Endpoint> endpoint,
              std::vector<WgPeerChange>& steps) {
  if (peer.keepalive_seconds != 0) {
    steps.push_back(step(peer.public_key, Kind::update));
    steps.back().keepalive_seconds = 0;
  }
  steps.push_back(step(peer.public_key, Kind::update));
  steps.back().endpoint = endpoint;
  steps.back().keepalive_seconds = 1;
  steps.push_back(step(peer.public_key, Kind::update));
  steps.back().keepalive_seconds = 0;
}

/// What makes a peer that is there as `wanted`; nullopt when it is so already. Replacing allowed
/// IPs would for a moment leave a live client without any, so that is done only to take some away.
std::optional<WgPeerChange> difference(const WgPeer& peer, const manifests::PeerSpec& wanted,
                                       const std::optional<SecretKey>& preshared_key) {
  WgPeerChange out = step(peer.public_key, Kind::update);
  bool differs = false;
  if (peer.preshared_key != preshared_key) {
    out.preshared_key = preshared_key.value_or(SecretKey({}));
    differs = true;
  }
  if (wanted.endpoint && wanted.endpoint != peer.endpoint) {
    out.endpoint = wanted.endpoint;
    differs = true;
  }
  const std::set<Prefix> have(peer.allowed_ips.begin(), peer.allowed_ips.end());
  const std::set<Prefix> want(wanted.allowed_ips.begin(), wanted.allowed_ips.end());
  out.replace_allowed_ips = !std::includes(want.begin(), want.end(), have.begin(), have.end());
  for (const Prefix& prefix : want) {
    if (out.replace_allowed_ips || !have.contains(prefix)) out.allowed_ips.push_back(prefix);
  }
  differs = differs || out.replace_allowed_ips || !out.allowed_ips.empty();
  return differs ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

Result<WgChange> plan_diff(const WgDevice& now, const manifests::PeerDiff& diff,
                           const PresharedKeys& preshared_keys) {
  const Known known(now);
  Once once;
  WgChange out = change_of(now);
  for (const PublicKey& key : diff.remove) {
    TRY(once.see(key));
    if (known.find(key) != nullptr) out.peers.push_back(step(key, Kind::remove));
  }
  for (const manifests::PeerSpec& wanted : diff.put) {
    TRY(once.see(wanted.public_key));
    std::optional<SecretKey> preshared_key;
    if (wanted.sealed_preshared_key) {
      const auto found = preshared_keys.find(wanted.public_key);
      if (found == preshared_keys.end()) {
        return fail(Errc::invalid_input,
                    "peer " + wanted.public_key.string() + ": its preshared key was not opened");
      }
      preshared_key = found->second;
    }
    if (const WgPeer* peer = known.find(wanted.public_key)) {
      if (auto change = difference(*peer, wanted, preshared_key)) {
        out.peers.push_back(*std::move(change));
      }
      continue;
    }
    WgPeerChange put = step(wanted.public_key, Kind::put);
    put.preshared_key = std::move(preshared_key);
    put.endpoint = wanted.endpoint;
    put.allowed_ips = wanted.allowed_ips;
    out.peers.push_back(std::move(put));
  }
  return out;
}

Result<WgChange> plan_prepare(const WgDevice& now, const manifests::PrepareRequest& request) {
  const Known known(now);
  Once once;
  WgChange out = change_of(now);
  for (const auto& client : request.clients) {
    TRY(once.see(client.public_key));
    TRY_ASSIGN(const WgPeer* peer, known.at(client.public_key));
    if (!is_pristine(*peer)) start_over(*peer, out.peers);
    add_edge(*peer, client.endpoint, out.peers);
  }
  return out;
}

Result<WgChange> plan_commit(const WgDevice& now, const manifests::PeerSelection& selection) {
  const Known known(now);
  Once once;
  WgChange out = change_of(now);
  for (const PublicKey& key : selection.peers) {
    TRY(once.see(key));
    TRY_ASSIGN(const WgPeer* peer, known.at(key));
    add_edge(*peer, {}, out.peers);
  }
  return out;
}

Result<WgChange> plan_give_up(const WgDevice& now, const manifests::PeerSelection& selection) {
  const Known known(now);
  Once once;
  WgChange out = change_of(now);
  for (const PublicKey& key : selection.peers) {
    TRY(once.see(key));
    if (const WgPeer* peer = known.find(key)) start_over(*peer, out.peers);
  }
  return out;
}

WgChange plan_drain(const WgDevice& now) {
  WgChange out = change_of(now);
  for (const WgPeer& peer : now.peers) {
    if (peer.keepalive_seconds == 0) continue;
    out.peers.push_back(step(peer.public_key, Kind::update));
    out.peers.back().keepalive_seconds = 0;
  }
  return out;
}

Result<manifests::PeerDump> describe(const WgDevice& now, std::int64_t clock_unix_ns) {
  if (!now.public_key) return fail(Errc::busy, "the private key has not arrived yet");
  manifests::PeerDump out{*now.public_key, clock_unix_ns, {}};
  out.peers.reserve(now.peers.size());
  for (const WgPeer& peer : now.peers) {
    manifests::PeerState state{.public_key = peer.public_key,
                               .allowed_ips = peer.allowed_ips,
                               .has_preshared_key = peer.preshared_key.has_value(),
                               .endpoint = peer.endpoint,
                               .last_handshake_unix_ns = peer.last_handshake_unix_ns,
                               .rx_bytes = peer.rx_bytes,
                               .tx_bytes = peer.tx_bytes,
                               .keepalive_seconds = peer.keepalive_seconds};
    std::sort(state.allowed_ips.begin(), state.allowed_ips.end());
    out.peers.push_back(std::move(state));
  }
  std::sort(out.peers.begin(), out.peers.end(),
            [](const auto& a, const auto& b) { return a.public_key < b.public_key; });
  return out;
}

}  // namespace weir::node
