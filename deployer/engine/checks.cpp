#include "deployer/engine/checks.h"

#include <algorithm>
#include <cstdio>

namespace weir::deployer {
namespace {

Status same(const NodeId& node, const std::string& fact, const std::string& want,
            const std::string& got) {
  if (want == got) return {};
  return fail(Errc::integrity, "node " + node.string() + " reports " + fact + " " +
                                   (got.empty() ? std::string("(none)") : got) +
                                   ", but its release says " + want);
}

std::vector<Prefix> sorted(std::vector<Prefix> prefixes) {
  std::sort(prefixes.begin(), prefixes.end());
  return prefixes;
}

}  // namespace

Status check_identity(const manifests::Release& release, const manifests::NodeIdentity& identity) {
  const NodeId& node = identity.node;
  TRY(same(node, "lock digest", release.lock_digest.string(), identity.lock_digest.string()));
  TRY(same(node, "kernel", release.kernel.release, identity.kernel_release));
  TRY(same(node, "kernel build id", release.kernel.build_id, identity.kernel_build_id));
  for (const manifests::ReleaseModule& module : release.modules) {
    const auto found =
        std::find_if(identity.modules.begin(), identity.modules.end(),
                     [&](const manifests::LoadedModule& it) { return it.name == module.name; });
    const std::string what = "module " + module.name;
    if (found == identity.modules.end())
      return same(node, what, "that it is loaded", "(not loaded)");
    TRY(same(node, what + " version", module.version, found->version));
    TRY(same(node, what + " srcversion", module.srcversion, found->srcversion));
    TRY(same(node, what + " build id", module.build_id, found->build_id));
  }
  for (const manifests::ReleasePackage& tool : release.tools) {
    const auto found =
        std::find_if(identity.tools.begin(), identity.tools.end(),
                     [&](const manifests::ReleasePackage& it) { return it.name == tool.name; });
    TRY(same(node, "tool " + tool.name, tool.version,
             found == identity.tools.end() ? std::string() : found->version));
  }
  return {};
}

Result<PeerComparison> compare_peers(
    const std::map<PublicKey, manifests::Peer>& registry,
    const std::map<NodeId, std::map<PublicKey, manifests::PeerState>>& old_pool,
    const std::map<NodeId, std::map<PublicKey, manifests::PeerState>>& new_pool) {
  for (const auto& [node, peers] : new_pool) {
    for (const auto& [key, peer] : registry) {
      const std::string who = peer.name.empty() ? key.string() : peer.name;
      const auto found = peers.find(key);
      if (found == peers.end()) {
        return fail(Errc::integrity, "node " + node.string() + " does not know peer " + who +
                                         " although it was given to it");
      }
      if (sorted(found->second.allowed_ips) != sorted(peer.allowed_ips)) {
        return fail(Errc::integrity, "node " + node.string() + " has other allowed IPs for peer " +
                                         who + " than the registry");
      }
    }
  }
  PeerComparison out;
  for (const auto& [node, peers] : old_pool) {
    for (const auto& [key, peer] : peers) {
      const bool everywhere =
          std::all_of(new_pool.begin(), new_pool.end(),
                      [&k = key](const auto& it) { return it.second.contains(k); });
      if (!everywhere) out.only_old.push_back(key);
    }
  }
  std::sort(out.only_old.begin(), out.only_old.end());
  out.only_old.erase(std::unique(out.only_old.begin(), out.only_old.end()), out.only_old.end());
  return out;
}

Status check_clocks(const std::map<NodeId, std::chrono::microseconds>& ahead,
                    std::chrono::milliseconds limit) {
  if (ahead.empty()) return {};
  const auto [low, high] = std::minmax_element(
      ahead.begin(), ahead.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto skew = high->second - low->second;
  if (skew <= limit) return {};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(skew).count();
  return fail(Errc::integrity, "the clock of node " + low->first.string() + " is " +
                                   std::to_string(ms) + " ms behind that of node " +
                                   high->first.string() + " (policy.max_clock_skew is " +
                                   std::to_string(limit.count()) +
                                   " ms): clients would refuse its handshakes as replays");
}

}  // namespace weir::deployer
