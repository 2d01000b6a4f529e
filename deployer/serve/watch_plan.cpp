#include "deployer/serve/watch_plan.h"

#include "deployer/rollout/nodelife/nodelife.h"

namespace weir::deployer {
namespace {

void notice_troubles(const Observed& observed, Watched& watched, WatchPlan& out) {
  for (const auto& [node, seen] : observed.nodes) {
    std::string& last = watched.troubles[node];
    if (last == seen.trouble) continue;
    out.say.push_back("node " + node.string() +
                      (seen.trouble.empty() ? (seen.identity ? " answers again" : " is ended")
                                            : ": " + seen.trouble));
    last = seen.trouble;
  }
}

void notice_boots(const Documents& documents, const Observed& observed, Watched& watched,
                  WatchPlan& out) {
  for (const auto& [node, seen] : observed.nodes) {
    if (!seen.identity) continue;
    const auto before = watched.boots.find(node);
    const bool again = before != watched.boots.end() && before->second != seen.identity->boot_id;
    if (again || !seen.identity->wireguard_key) {
      Revival revival{
          node, seen.identity->boot_id,
          nodelife::to_call(node, observed.clients, *observed.director, documents.peers)};
      out.revivals.push_back(std::move(revival));
    }
    watched.boots.insert_or_assign(node, seen.identity->boot_id);
  }
}

void notice_places(const Observed& observed, Watched& watched, WatchPlan& out) {
  for (const auto& [node, seen] : observed.nodes) {
    if (!seen.dump) continue;
    for (const manifests::PeerState& peer : seen.dump->peers) {
      if (!peer.endpoint || home_of(*observed.director, *peer.endpoint) != node) continue;
      const auto place = watched.places.find(peer.public_key);
      if (place != watched.places.end() && place->second.endpoint == *peer.endpoint &&
          place->second.node == node) {
        continue;
      }
      watched.places.insert_or_assign(peer.public_key, Known{*peer.endpoint, node});
      out.remember.push_back({peer.public_key, *peer.endpoint, node});
    }
  }
}

void plan_mirror(const Documents& documents, const Observed& observed, const Watched& watched,
                 WatchPlan& out) {
  const auto& active = observed.director->steering.active;
  const auto is_active = [&](const NodeId& node) { return director::serves(active, node); };
  for (const auto& [node, seen] : observed.nodes) {
    if (is_active(node) || !seen.dump) continue;
    std::vector<StoredClient> news;
    for (const manifests::PeerState& peer : seen.dump->peers) {
      const auto place = watched.places.find(peer.public_key);
      if (place == watched.places.end() || !is_active(place->second.node) ||
          !documents.peers.contains(peer.public_key) || peer.endpoint == place->second.endpoint) {
        continue;
      }
      news.push_back({peer.public_key, place->second.endpoint, place->second.node});
      if (news.size() == kMirroredACall) break;
    }
    if (!news.empty()) out.mirror.emplace(node, std::move(news));
  }
}

}  // namespace

WatchPlan plan_watch(const Documents& documents, const Observed& observed, Watched& watched) {
  WatchPlan out;
  notice_troubles(observed, watched, out);
  if (!observed.director) return out;
  notice_boots(documents, observed, watched, out);
  notice_places(observed, watched, out);
  plan_mirror(documents, observed, watched, out);
  return out;
}

}  // namespace weir::deployer
