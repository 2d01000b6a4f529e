#pragma once

#include <map>
#include <string>
#include <vector>

#include "deployer/rollout/nodelife/feed.h"
#include "deployer/rollout/terms/commands.h"
#include "deployer/site/edge/site.h"
#include "keys/trust/verified.h"
#include "manifests/documents/release.h"
#include "manifests/messages/node_api.h"

namespace weir::deployer {

/// Brings pools to life and feeds them. Every function may be repeated; each works on all its nodes
/// at once, and ends early, with Errc::busy, when the site is cancelled.

/// Ends what runs on `nodes` of `pool`, and boots them afresh from the store's blobs, each verified
/// on its way into sealed memory.
/// errors  integrity: a blob; timeout: a node did not come up, with the end of its console
Status boot_nodes(Site& site, const PoolName& pool, const std::vector<NodeId>& nodes,
                  const keys::Verified<manifests::Release>& release);

Result<std::vector<manifests::NodeIdentity>> read_identities(Site& site,
                                                             const std::vector<NodeId>& nodes);

/// What becomes of a node's peers that the registry does not name.
enum class Removals : std::uint8_t { take, keep };

/// Whether preshared keys are given again to nodes that have one for the peer: none tells which.
/// Without it a node that does not answer at once is not waited for either.
enum class Confirming : std::uint8_t { none, all };

/// Sets the clock of nodes that have no private key yet, gives them the key, and makes their peers
/// those of the registry. Gives its services the files that the fleet has for them; a node that had
/// no key yet has to tell of exactly the services of its release, and they are waited for. Live
/// sessions of peers that stay lose no packet; those of peers that go end. What a node refuses, or
/// that it does not answer, stands with it. errors  unauthorized: the fleet's identity is needed
/// and cannot be opened
Result<std::map<NodeId, Fed>> feed_nodes(Site& site, const std::vector<NodeId>& nodes,
                                         Removals removals, Confirming confirming);

/// Sets clocks to so far ahead of ours.
Status set_clocks(Site& site, const std::map<NodeId, std::chrono::microseconds>& ahead);

Result<std::map<NodeId, std::chrono::microseconds>> read_clocks(Site& site,
                                                                const std::vector<NodeId>& nodes);

/// A handshake and data through each node with a peer made for it, which the node's own dump must
/// show. Does nothing where the fleet has no `probe`.
Status probe_nodes(Site& site, const std::vector<NodeId>& nodes);

/// Ends the pool's machines and forgets them.
Status stop_pool(Site& site, const PoolName& pool);

/// The same with machines of nodes that are in no pool of the fleet any more.
Status stop_unlisted(Site& site, const std::vector<NodeId>& nodes);

/// Notes where the fleet is up, and installs the director there, `seeded` with what running nodes
/// know of their clients, and attaches their links.
Status install_director(Site& site, const director::Intent& intent, bool seeded);

/// Removes the director, and the note.
Status remove_director(Site& site);

}  // namespace weir::deployer
