#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "deployer/rollout/nodelife/edge/pools.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kCallPatience{15000};
/// A node that does not even say who it is.
constexpr milliseconds kHurriedPatience{2000};
constexpr int kFeedSamples = 5;
constexpr milliseconds kLookAgain{200};
constexpr std::size_t kLinesShown = 5;
constexpr std::size_t kPeersACall = 1000;

std::chrono::nanoseconds unix_now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

/// Sets the node's clock to so far ahead of ours. The message travels about half a round trip.
Status set_clock(node_client::NodeClient& client, std::chrono::nanoseconds ahead = {}) {
  // Opens the connection, so that the next one is not measured with it.
  TRY(client.clock_offset(1));
  const auto before = std::chrono::steady_clock::now();
  TRY(client.clock_offset(1));
  const auto round_trip = std::chrono::steady_clock::now() - before;
  return client.set_clock(unix_now() + round_trip / 2 + ahead);
}

/// Sends changes to a node's peers in calls that end in time.
class PeerChanges {
 public:
  explicit PeerChanges(node_client::NodeClient& client) : client_(client) {}
  Status put(manifests::PeerSpec peer) {
    diff_.put.push_back(std::move(peer));
    return diff_.put.size() < kPeersACall ? Status() : send();
  }
  Status remove(const PublicKey& key) {
    diff_.remove.push_back(key);
    return diff_.remove.size() < kPeersACall ? Status() : send();
  }
  Status send() {
    if (diff_.put.empty() && diff_.remove.empty()) return {};
    TRY_IN(client_.apply(diff_), "give peers");
    diff_ = {};
    return {};
  }

 private:
  node_client::NodeClient& client_;
  manifests::PeerDiff diff_;
};

/// The fleet's identity, opened when the first node needs it: opening it may ask a person.
class LateIdentity {
 public:
  explicit LateIdentity(Site& site) : site_(site) {}
  Result<const keys::WireGuardIdentity*> get() {
    const std::lock_guard guard(lock_);
    if (!identity_) {
      TRY_ASSIGN(identity_, site_.identity());
    }
    return &*identity_;
  }

 private:
  Site& site_;
  std::mutex lock_;
  std::optional<keys::WireGuardIdentity> identity_;
};

Status give_identity(Site& site, node_client::NodeClient& client,
                     const manifests::NodeIdentity& about, LateIdentity& late) {
  if (about.wireguard_key) {
    TRY_ASSIGN(const auto ours, site.identity_keys());
    return check_held_key(about, ours);
  }
  TRY_ASSIGN(const auto* identity, late.get());
  const PoolName* pool = site.pool_of(about.node);
  const bool rehearsal = pool != nullptr && site.pool(*pool).clock_offset != milliseconds(0);
  if (!rehearsal) TRY_IN(set_clock(client), "set clock");
  TRY_ASSIGN(auto sealed, keys::seal_to_node(identity->current().private_key(), about.seal_key));
  TRY_IN(client.put_private_key({std::move(sealed)}), "give private key");
  return {};
}

// What a service of the node asks for and the fleet has; what it has not, a node that is new to its
// clients cannot do without.
Status give_files(Site& site, node_client::NodeClient& client, const manifests::NodeIdentity& about,
                  const std::vector<manifests::ServiceReport>& services) {
  for (const manifests::ServiceReport& service : services) {
    for (const std::string& name : service.files) {
      TRY_ASSIGN(const auto content, site.node_file(about.node, name));
      if (content) {
        TRY_ASSIGN(auto sealed, keys::seal_to_node(*content, about.seal_key));
        TRY_IN(client.put_file({name, std::move(sealed)}), "give file " + name);
      } else if (!about.wireguard_key) {
        return fail(Errc::not_found, "service " + service.name + " asks for file " + name +
                                         ": name it under `files` of the node's pool in the fleet "
                                         "document");
      }
    }
  }
  return {};
}

// Node programs that do not fit the image start no service, and everything else works.
Status check_services(Site& site, const NodeId& node,
                      const std::vector<manifests::ServiceReport>& told) {
  const PoolName* pool = site.pool_of(node);
  if (pool == nullptr) return {};
  TRY_ASSIGN(const auto pools, site.store().pools());
  const auto runs = pools.find(*pool);
  if (runs == pools.end()) return {};
  TRY_ASSIGN(const auto baked, site.services_of(runs->second.release, runs->second.release_digest));
  return check_told_services(baked, told);
}

// Clients are not moved to a node whose services do not come up.
Status await_services(Site& site, node_client::NodeClient& client,
                      std::vector<manifests::ServiceReport> services) {
  const auto patience = site.fleet().policy.boot_timeout;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto down =
        std::find_if(services.begin(), services.end(), [](const auto& it) { return !is_up(it); });
    if (down == services.end()) return {};
    for (const auto& service : services) {
      if (is_given_up(service)) return fail(Errc::io, describe_whole(service, kLinesShown));
    }
    if (site.cancelled()) return fail(Errc::busy, "interrupted");
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail(Errc::timeout,
                  "not up within boot_timeout: " + describe_whole(*down, kLinesShown));
    }
    std::this_thread::sleep_for(kLookAgain);
    TRY_ASSIGN(services, client.services());
  }
}

Status feed_node(Site& site, const NodeId& node, LateIdentity& late, Removals removals,
                 Confirming confirming, Fed& out) {
  const bool hurried = confirming == Confirming::none;
  TRY_ASSIGN(const auto client, site.connect(node, hurried ? kHurriedPatience : kCallPatience));
  TRY_ASSIGN(const auto about, client->identity());
  client->set_timeout(kCallPatience);
  TRY(give_identity(site, *client, about, late));
  TRY_ASSIGN(const auto dump, client->peers());
  std::optional<IpAddress> probe;
  if (site.fleet().probe) probe = site.fleet().probe->source;
  NodeFeed feed = feed_of(site.peers(), dump, probe);
  if (removals == Removals::keep) feed.remove.clear();
  if (hurried) feed.confirm.clear();
  PeerChanges changes(*client);
  // Who goes makes room first: an allowed IP may have passed to somebody else.
  for (const PublicKey& key : feed.remove) TRY(changes.remove(key));
  TRY(changes.send());
  for (const auto* keys : {&feed.change, &feed.add, &feed.confirm}) {
    for (const PublicKey& key : *keys) {
      const manifests::Peer& peer = site.peers().at(key);
      manifests::PeerSpec spec{key, peer.allowed_ips, {}, {}};
      TRY_ASSIGN(const auto secret, site.preshared_key(peer));
      if (secret) {
        TRY_ASSIGN(spec.sealed_preshared_key, keys::seal_to_node(*secret, about.seal_key));
      }
      TRY(changes.put(std::move(spec)));
    }
  }
  TRY(changes.send());
  if (!hurried) {
    TRY_ASSIGN(auto services, client->services());
    if (!about.wireguard_key) TRY(check_services(site, node, services));
    TRY(give_files(site, *client, about, services));
    if (!about.wireguard_key) TRY(await_services(site, *client, std::move(services)));
  }
  out.added = std::move(feed.add);
  out.changed = std::move(feed.change);
  out.removed = std::move(feed.remove);
  return {};
}

}  // namespace

Result<std::vector<manifests::NodeIdentity>> read_identities(Site& site,
                                                             const std::vector<NodeId>& nodes) {
  std::vector<manifests::NodeIdentity> out;
  std::mutex lock;
  TRY(for_each_node(nodes, [&](const NodeId& node) -> Status {
    TRY_ASSIGN(const auto client, site.connect(node, kCallPatience));
    TRY_ASSIGN(auto identity, client->identity());
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

Result<std::map<NodeId, Fed>> feed_nodes(Site& site, const std::vector<NodeId>& nodes,
                                         Removals removals, Confirming confirming) {
  LateIdentity late(site);
  std::map<NodeId, Fed> out;
  std::mutex lock;
  TRY(for_each_node(nodes, [&](const NodeId& node) -> Status {
    Fed fed;
    if (auto done = feed_node(site, node, late, removals, confirming, fed); !done) {
      fed.error = std::move(done).error();
    }
    const std::lock_guard guard(lock);
    out.emplace(node, std::move(fed));
    return {};
  }));
  return out;
}

Status set_clocks(Site& site, const std::map<NodeId, std::chrono::microseconds>& ahead) {
  std::vector<NodeId> nodes;
  nodes.reserve(ahead.size());
  for (const auto& [node, _] : ahead) nodes.push_back(node);
  return for_each_node(nodes, [&](const NodeId& node) -> Status {
    TRY_ASSIGN(const auto client, site.connect(node, kCallPatience));
    TRY_IN(set_clock(*client, ahead.at(node)), "node " + node.string());
    return {};
  });
}

Result<std::map<NodeId, std::chrono::microseconds>> read_clocks(Site& site,
                                                                const std::vector<NodeId>& nodes) {
  std::map<NodeId, std::chrono::microseconds> out;
  std::mutex lock;
  TRY(for_each_node(nodes, [&](const NodeId& node) -> Status {
    TRY_ASSIGN(const auto client, site.connect(node, kCallPatience));
    TRY_ASSIGN(const auto ahead, client->clock_offset(kFeedSamples));
    const std::lock_guard guard(lock);
    out.emplace(node, ahead);
    return {};
  }));
  return out;
}

}  // namespace weir::deployer
