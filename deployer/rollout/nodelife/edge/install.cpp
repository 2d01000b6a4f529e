#include "deployer/rollout/nodelife/edge/pools.h"

namespace weir::deployer {
namespace {

/// What the nodes that run know of their clients, so that a director that starts anew knows it too.
director::Learned learned_from_nodes(Site& site) {
  director::Learned out;
  std::map<PublicKey, std::int64_t> newest;
  for (const manifests::Attachment& link : site.attachments()) {
    const auto state = site.machine_state(link.node);
    if (!state || *state != pool::MachineState::running) continue;
    auto client = site.connect(link.node, std::chrono::milliseconds(3000));
    if (!client) continue;
    const auto dump = (*client)->peers();
    if (!dump) continue;
    for (const auto& peer : dump->peers) {
      if (!peer.endpoint || peer.last_handshake_unix_ns <= newest[peer.public_key]) continue;
      newest[peer.public_key] = peer.last_handshake_unix_ns;
      out.homes.insert_or_assign(*peer.endpoint, link.node);
      for (const Prefix& prefix : peer.allowed_ips) {
        const bool host = prefix.length == (prefix.address.is_v4() ? 32 : 128);
        if (host) out.inner.insert_or_assign(prefix.address, link.node);
      }
    }
  }
  return out;
}

}  // namespace

Status install_director(Site& site, const director::Intent& intent, bool seeded) {
  std::optional<director::Learned> learned;
  if (seeded) learned = learned_from_nodes(site);
  // First, so that whatever is half done is found again, whatever the document names by then.
  const auto& space = site.documents().director().network_namespace;
  TRY_IN(site.store().set_steered_namespace(space.value_or("")), "state");
  TRY(site.director().install(intent, learned));
  for (const manifests::Attachment& link : site.attachments()) {
    const auto state = site.machine_state(link.node);
    if (!seeded || !state || *state == pool::MachineState::gone) continue;
    Status attached = site.director().attach(link.node);
    if (!attached && attached.error().code == Errc::not_found) {
      attached.error().message +=
          ": its machine runs, and its links went with the network namespace that they were in; "
          "`weir-deployer down` ends it, then `weir-deployer up` boots it anew";
    }
    TRY(attached);
  }
  return {};
}

Status remove_director(Site& site) {
  TRY(site.director().remove());
  return site.store().set_steered_namespace({});
}

}  // namespace weir::deployer
