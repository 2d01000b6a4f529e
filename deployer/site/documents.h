#pragma once

#include <map>
#include <string>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/documents/attachment.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"

namespace weir::deployer {

/// The documents of one fleet, held against each other: what a person wrote down.
struct Documents {
  std::string folder;  ///< of fleet.yaml: other paths start there
  manifests::Fleet fleet;
  std::vector<manifests::Attachment> attachments;
  std::map<PublicKey, manifests::Peer> peers;  ///< the registry

  [[nodiscard]] std::string path(const std::string& relative) const;  ///< as fleet.yaml means it
  [[nodiscard]] std::string state_path(const std::string& name) const;
  /// The one that steers: a fleet has no other so far.
  [[nodiscard]] const manifests::DirectorSpec& director() const { return fleet.directors.front(); }
  /// Of a director, a node and a pool of this fleet.
  [[nodiscard]] const manifests::Attachment& attachment(const DirectorId& director,
                                                        const NodeId& node) const;
  [[nodiscard]] const manifests::PoolSpec& pool(const PoolName& name) const;
  /// The one behind it in the document, and behind the last the first.
  [[nodiscard]] const PoolName& next_pool(const PoolName& name) const;
  /// Whether this fleet has it. errors: not_found, naming those that it has
  [[nodiscard]] Status check_pool(const PoolName& name) const;
  /// Null: it is no node of this fleet.
  [[nodiscard]] const PoolName* pool_of(const NodeId& node) const;
  /// The name a person knows a client by: the registry's, else the public key.
  [[nodiscard]] std::string shown(const PublicKey& key) const;
};

/// A path in a document, which starts at the folder that the document lies in.
[[nodiscard]] std::string beside(const std::string& document, const std::string& path);

}  // namespace weir::deployer
