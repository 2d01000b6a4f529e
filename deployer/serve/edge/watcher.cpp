#include "deployer/serve/edge/watcher.h"

#include <algorithm>

#include "deployer/orders/edge/observe.h"
#include "deployer/rollout/nodelife/edge/bring_up.h"
#include "deployer/rollout/terms/counted.h"
#include "keys/identity/wireguard_identity.h"

namespace weir::deployer {
namespace {

constexpr std::chrono::milliseconds kNodePatience{3000};

/// What is not done now is found again: these nodes count as not looked at.
void put_off(const std::vector<Revival>& revivals, const Watched& before, Watched& watched) {
  for (const Revival& revival : revivals) {
    watched.boots.erase(revival.node);
    if (const auto it = before.boots.find(revival.node); it != before.boots.end()) {
      watched.boots.insert(*it);
    }
  }
}

}  // namespace

Status Watcher::look(Revivals revivals) {
  TRY_ASSIGN(const Observed observed, observe(site_, kNodePatience));
  if (site_.cancelled()) return {};
  // An order that began meanwhile knows better what boots are its own: they are looked at again.
  Watched watched = watched_;
  WatchPlan plan = plan_watch(site_.documents(), observed, watched);
  for (const std::string& line : plan.say) site_.say(line);
  watched_.troubles = watched.troubles;
  if (quiet_) return {};
  if (revivals == Revivals::wait) {
    put_off(plan.revivals, watched_, watched);
    plan.revivals.clear();
  }
  // One node that cannot be revived holds up no other; all are looked at again then.
  Status revived;
  for (const Revival& revival : plan.revivals) {
    if (quiet_) return {};
    if (auto now = revive(revival); !now && revived) revived = std::move(now);
  }
  TRY(revived);
  TRY(site_.store().put_clients(plan.remember));
  watched_ = std::move(watched);
  for (const auto& [node, clients] : plan.mirror) {
    if (quiet_) return {};
    TRY_IN(mirror(node, clients, observed.nodes.at(node).identity->seal_key),
           "node " + node.string() + ": mirror endpoints");
  }
  return {};
}

Status Watcher::revive(const Revival& revival) {
  const NodeId& node = revival.node;
  site_.say("node " + node.string() + " was booted again (" + revival.boot_id +
            "): giving it key and peers");
  TRY(deployer::revive(site_, node));
  const auto& lost = revival.calls;
  if (lost.empty()) return {};
  TRY_ASSIGN(const auto client, site_.connect(node, kNodePatience));
  for (std::size_t i = 0; i < lost.size(); i += kMaxUnconfirmed) {
    const auto end = std::min<std::size_t>(lost.size(), i + kMaxUnconfirmed);
    TRY(client->prepare({{lost.begin() + static_cast<std::ptrdiff_t>(i),
                          lost.begin() + static_cast<std::ptrdiff_t>(end)}}));
  }
  site_.say("node " + node.string() + " calls its " + counted(lost.size(), "client"));
  return {};
}

Status Watcher::mirror(const NodeId& node, const std::vector<StoredClient>& clients,
                       const PublicKey& seal_key) {
  manifests::PeerDiff diff;
  for (const StoredClient& it : clients) {
    const manifests::Peer& peer = site_.peers().at(it.key);
    manifests::PeerSpec spec{it.key, peer.allowed_ips, {}, it.endpoint};
    TRY_ASSIGN(const auto secret, site_.preshared_key(peer));
    if (secret) {
      TRY_ASSIGN(spec.sealed_preshared_key, keys::seal_to_node(*secret, seal_key));
    }
    diff.put.push_back(std::move(spec));
  }
  TRY_ASSIGN(const auto client, site_.connect(node, kNodePatience));
  return client->apply(diff);
}

}  // namespace weir::deployer
