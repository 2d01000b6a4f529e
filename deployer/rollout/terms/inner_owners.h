#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "manifests/base/net.h"
#include "manifests/documents/peers.h"

namespace weir::deployer {

/// Whose an inner address is: of all allowed IPs that contain it the longest decides, as on every
/// node (WireGuard paper 2, cryptokey routing).
class InnerOwners {
 public:
  /// Costs what the registry is long.
  explicit InnerOwners(const std::map<PublicKey, manifests::Peer>& registry);

  /// An address that is this peer's and nobody else's; the first of its allowed IPs that has one.
  /// Absent: others hold all of them, or where they do not is behind too many of theirs.
  [[nodiscard]] std::optional<IpAddress> address_of(const manifests::Peer& peer) const;

 private:
  using Held = std::map<Prefix, PublicKey>;
  [[nodiscard]] Held::const_iterator longest(const IpAddress& address) const;

  Held held_;
  std::set<std::uint8_t, std::greater<>> lengths_v4_, lengths_v6_;  ///< that occur
};

}  // namespace weir::deployer
