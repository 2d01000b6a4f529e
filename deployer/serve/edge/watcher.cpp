#include "deployer/serve/edge/watcher.h"

#include <algorithm>
#include <mutex>

#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/terms/whereabouts.h"
#include "keys/identity/wireguard_identity.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{3000};
constexpr std::size_t kPeersACall = 500;

}  // namespace

struct Watcher::Seen {
  manifests::NodeIdentity identity;
  std::vector<manifests::PeerState> peers;
};

void Watcher::complain(const NodeId& node, const std::string& trouble) {
  std::string& last = troubles_[node];
  if (last == trouble) return;
  last = trouble;
  site_.say(trouble.empty() ? "node " + node.string() + " answers again"
                            : "node " + node.string() + ": " + trouble);
}

Status Watcher::look() {
  TRY_ASSIGN(const auto machines, site_.store().machines());
  std::map<NodeId, Seen> seen;
  std::map<NodeId, std::string> troubles;
  std::mutex lock;
  std::vector<NodeId> nodes;
  for (const auto& [node, machine] : machines) {
    if (site_.pool_of(node) != nullptr) nodes.push_back(node);
  }
  TRY(for_each_node(nodes, [&](const NodeId& node) -> Status {
    const auto look_at = [&]() -> Result<Seen> {
      TRY_ASSIGN(const auto state, site_.machine_state(node));
      if (state == pool::MachineState::gone) return fail(Errc::not_found, "its machine ended");
      if (state == pool::MachineState::frozen) return fail(Errc::timeout, "its machine is frozen");
      TRY_ASSIGN(auto client, site_.connect(node, kPatience));
      TRY_ASSIGN(auto identity, client.identity());
      Seen out{std::move(identity), {}};
      // Booted again it has no device to ask about: what it said so far is all there is to see.
      if (out.identity.wireguard_key) {
        TRY_ASSIGN(auto dump, client.peers());
        out.peers = std::move(dump.peers);
      }
      return out;
    };
    auto result = look_at();
    const std::lock_guard guard(lock);
    troubles[node] = result ? std::string() : result.error().message;
    if (result) seen.emplace(node, std::move(*result));
    return {};
  }));
  for (const auto& [node, trouble] : troubles) complain(node, trouble);
  TRY_ASSIGN(const bool installed, site_.director().installed());
  if (!installed) return {};
  TRY_ASSIGN(const auto observed, site_.director().read());
  if (quiet_) return {};
  for (const auto& [node, it] : seen) {
    const auto before = boots_.find(node);
    const bool again = before != boots_.end() && before->second != it.identity.boot_id;
    if (again || !it.identity.wireguard_key) TRY(revive(node, observed, it));
    boots_.insert_or_assign(node, it.identity.boot_id);
  }
  TRY(remember(observed, seen));
  return mirror(observed, seen);
}

/// A node that was booted again has no key, no peers and no sessions; its clients are called at
/// once.
Status Watcher::revive(const NodeId& node, const director::Observed& observed, const Seen& seen) {
  site_.say("node " + node.string() + " was booted again (" + seen.identity.boot_id +
            "): giving it key and peers");
  TRY(feed_all(site_, {node}));
  TRY(site_.director().forget(node));
  TRY_ASSIGN(const auto known, site_.store().clients());
  std::vector<manifests::PrepareRequest::Client> lost;
  for (const auto& [key, place] : known) {
    if (place.node == node && home_of(observed, place.endpoint) == node &&
        site_.peers().contains(key)) {
      lost.push_back({key, place.endpoint});
    }
  }
  if (lost.empty()) return {};
  TRY_ASSIGN(auto client, site_.connect(node, kPatience));
  for (std::size_t i = 0; i < lost.size(); i += kMaxUnconfirmed) {
    const auto end = std::min<std::size_t>(lost.size(), i + kMaxUnconfirmed);
    TRY(client.prepare({{lost.begin() + static_cast<std::ptrdiff_t>(i),
                         lost.begin() + static_cast<std::ptrdiff_t>(end)}}));
  }
  site_.say("node " + node.string() + " calls its " + std::to_string(lost.size()) + " clients");
  return {};
}

Status Watcher::remember(const director::Observed& observed, const std::map<NodeId, Seen>& seen) {
  std::vector<StoredClient> changed;
  for (const auto& [node, it] : seen) {
    for (const auto& peer : it.peers) {
      if (!peer.endpoint || home_of(observed, *peer.endpoint) != node) continue;
      const auto place = places_.find(peer.public_key);
      if (place != places_.end() && place->second.endpoint == *peer.endpoint &&
          place->second.node == node) {
        continue;
      }
      places_.insert_or_assign(peer.public_key, Known{*peer.endpoint, node});
      changed.push_back({peer.public_key, *peer.endpoint, node});
    }
  }
  return site_.store().put_clients(changed);
}

Status Watcher::mirror(const director::Observed& observed, const std::map<NodeId, Seen>& seen) {
  for (const auto& [node, it] : seen) {
    const auto& active = observed.steering.active;
    if (director::serves(active, node)) continue;
    manifests::PeerDiff diff;
    for (const auto& peer : it.peers) {
      const auto place = places_.find(peer.public_key);
      const auto registered = site_.peers().find(peer.public_key);
      const bool elsewhere = place != places_.end() && director::serves(active, place->second.node);
      if (!elsewhere || registered == site_.peers().end() ||
          peer.endpoint == place->second.endpoint) {
        continue;
      }
      manifests::PeerSpec spec{
          peer.public_key, registered->second.allowed_ips, {}, place->second.endpoint};
      TRY_ASSIGN(const auto secret, site_.preshared_key(registered->second));
      if (secret) {
        TRY_ASSIGN(spec.sealed_preshared_key, keys::seal_to_node(*secret, it.identity.seal_key));
      }
      diff.put.push_back(std::move(spec));
      if (diff.put.size() == kPeersACall) break;  // the rest with the next look
    }
    if (diff.put.empty() || quiet_) continue;
    TRY_ASSIGN(auto client, site_.connect(node, kPatience));
    TRY_IN(client.apply(diff), "node " + node.string() + ": mirror endpoints");
  }
  return {};
}

}  // namespace weir::deployer
