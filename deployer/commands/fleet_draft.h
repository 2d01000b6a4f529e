#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::deployer {

/// What has to be known to write a first fleet document. Paths are as the document will name them.
struct FleetAnswers {
  struct NewPeer {
    std::string name;
    PublicKey public_key;
  };
  std::string name = "gateway";
  std::vector<IpAddress> vip;  ///< one IPv4, one IPv6, or one of each
  std::uint16_t port = 51820;
  std::string upstream_interface;
  std::optional<std::string> network_namespace;  ///< of the director; absent: the host's own
  std::vector<Prefix> clients;  ///< inner networks; the peers' addresses come from them
  std::optional<IpAddress> probe_target;
  std::uint32_t nodes = 1;  ///< of each pool, 1 to 63
  std::string state = "state";
  std::string store = "store";
  std::string trusted_key = "release.pub";
  std::string identity = "gateway.identity";
  std::optional<std::string> identity_key_file;
  std::string peers = "peers.jsonl";
  std::vector<NewPeer> new_peers;
  std::vector<PublicKey> gateway_keys;  ///< of the identity, where it is made already
};

/// The two documents, as texts that parse.
struct FleetDraft {
  std::string fleet;
  std::string peers;  ///< empty without `new_peers`
};

/// Writes a fleet's documents. The fabric's blocks are chosen where they overlap neither `vip` nor
/// `clients`; peers get the addresses of `clients` from the second on, in the order given, and the
/// probe the last one of the block of its target's kind.
///
/// errors: invalid_input, naming the option of `weir-deployer init` that has to change: what
///         parse_fleet, parse_peers or check_registry would refuse; exhausted: more peers than
///         addresses
[[nodiscard]] Result<FleetDraft> draft_fleet(const FleetAnswers& answers);

}  // namespace weir::deployer
