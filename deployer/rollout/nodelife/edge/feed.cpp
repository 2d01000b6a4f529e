#include <algorithm>
#include <chrono>
#include <mutex>

#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/rollout/terms/peer_table.h"
#include "keys/signing/edge/key_files.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCallPatience{15000};
constexpr int kClockSamples = 5;
constexpr std::size_t kPeersACall = 1000;

std::vector<Prefix> sorted(std::vector<Prefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  return prefixes;
}

std::chrono::nanoseconds unix_now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

/// Sets the node's clock to ours. The message travels about half a round trip.
Status set_clock(node_client::NodeClient& client, std::chrono::nanoseconds ahead = {}) {
  TRY(client.clock_offset(
      1));  // opens the connection, so that the next one is not measured with it
  const auto before = std::chrono::steady_clock::now();
  TRY(client.clock_offset(1));
  const auto round_trip = std::chrono::steady_clock::now() - before;
  return client.set_clock(unix_now() + round_trip / 2 + ahead);
}

Status feed_node(Site& site, const NodeId& node, const keys::WireGuardIdentity& identity,
                 Fed& out) {
  TRY_ASSIGN(auto client, site.connect(node, kCallPatience));
  TRY_ASSIGN(const auto about, client.identity());
  if (!about.wireguard_key) {
    const PoolName* pool = site.pool_of(node);
    const bool rehearsal = pool != nullptr && site.pool(*pool).clock_offset != milliseconds(0);
    if (!rehearsal) TRY_IN(set_clock(client), "set clock");
    TRY_ASSIGN(auto sealed, keys::seal_to_node(identity.private_key, about.seal_key));
    TRY_IN(client.put_private_key({std::move(sealed)}), "give private key");
  } else if (*about.wireguard_key != identity.public_key) {
    return fail(Errc::integrity, "node " + node.string() + " holds another identity (" +
                                     about.wireguard_key->string() + ") than the fleet's");
  }
  TRY_ASSIGN(const auto dump, client.peers());
  const PeerTable known(dump.peers);
  manifests::PeerDiff diff;
  const auto send = [&]() -> Status {
    if (diff.put.empty() && diff.remove.empty()) return {};
    TRY_IN(client.apply(diff), "give peers");
    diff = {};
    return {};
  };
  // First, so that an address that changed its owner is free.
  for (const auto& peer : known) {
    if (site.peers().contains(peer.public_key)) continue;
    diff.remove.push_back(peer.public_key);
    out.removed.push_back(peer.public_key);
    if (diff.remove.size() == kPeersACall) TRY(send());
  }
  TRY(send());
  for (const auto& [key, peer] : site.peers()) {
    const auto* there = known.find(key);
    const bool same = there != nullptr && sorted(there->allowed_ips) == sorted(peer.allowed_ips) &&
                      there->has_preshared_key == peer.preshared_key_file.has_value();
    if (there == nullptr) out.added.push_back(key);
    if (there != nullptr && !same) out.changed.push_back(key);
    // Whether it is the same preshared key cannot be seen: it is given again.
    if (same && !there->has_preshared_key) continue;
    manifests::PeerSpec spec{key, peer.allowed_ips, {}, {}};
    TRY_ASSIGN(const auto secret, site.preshared_key(peer));
    if (secret) {
      TRY_ASSIGN(spec.sealed_preshared_key, keys::seal_to_node(*secret, about.seal_key));
    }
    diff.put.push_back(std::move(spec));
    if (diff.put.size() == kPeersACall) TRY(send());
  }
  return send();
}

}  // namespace

Result<std::vector<manifests::NodeIdentity>> read_identities(Site& site,
                                                             const std::vector<NodeId>& nodes) {
  std::vector<manifests::NodeIdentity> out;
  std::mutex lock;
  TRY(for_each_node(nodes, [&](const NodeId& node) -> Status {
    TRY_ASSIGN(auto client, site.connect(node, kCallPatience));
    TRY_ASSIGN(auto identity, client.identity());
    if (identity.node != node) {
      return fail(Errc::integrity,
                  "node " + node.string() + " says that it is " + identity.node.string());
    }
    const std::lock_guard guard(lock);
    out.push_back(std::move(identity));
    return {};
  }));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  return out;
}

Result<std::map<NodeId, Fed>> feed_nodes(Site& site, const std::vector<NodeId>& nodes) {
  const manifests::Fleet& fleet = site.fleet();
  std::optional<std::string> key_file;
  if (fleet.identity_key_file) key_file = site.path(*fleet.identity_key_file);
  TRY_ASSIGN(const auto identity, keys::read_identity(site.path(fleet.identity), key_file));
  std::map<NodeId, Fed> out;
  std::mutex lock;
  TRY(for_each_node(nodes, [&](const NodeId& node) -> Status {
    Fed fed;
    if (auto done = feed_node(site, node, identity, fed); !done) {
      fed.error = std::move(done).error();
    }
    const std::lock_guard guard(lock);
    out.emplace(node, std::move(fed));
    return {};
  }));
  return out;
}

Status feed_all(Site& site, const std::vector<NodeId>& nodes) {
  TRY_ASSIGN(auto fed, feed_nodes(site, nodes));
  for (auto& [node, one] : fed) {
    if (one.error) return tl::unexpected(Error(*one.error).in("node " + node.string()));
  }
  return {};
}

Status set_clocks(Site& site, const std::map<NodeId, std::chrono::microseconds>& ahead) {
  std::vector<NodeId> nodes;
  for (const auto& [node, _] : ahead) nodes.push_back(node);
  return for_each_node(nodes, [&](const NodeId& node) -> Status {
    TRY_ASSIGN(auto client, site.connect(node, kCallPatience));
    TRY_IN(set_clock(client, ahead.at(node)), "node " + node.string());
    return {};
  });
}

Result<std::map<NodeId, std::chrono::microseconds>> read_clocks(Site& site,
                                                                const std::vector<NodeId>& nodes) {
  std::map<NodeId, std::chrono::microseconds> out;
  std::mutex lock;
  TRY(for_each_node(nodes, [&](const NodeId& node) -> Status {
    TRY_ASSIGN(auto client, site.connect(node, kCallPatience));
    TRY_ASSIGN(const auto ahead, client.clock_offset(kClockSamples));
    const std::lock_guard guard(lock);
    out.emplace(node, ahead);
    return {};
  }));
  return out;
}

}  // namespace weir::deployer
