#include "manifests/documents/registry.h"

#include <algorithm>
#include <string>

namespace weir::manifests {
namespace {

tl::unexpected<Error> wrong(std::string_view file, const Peer& peer, const std::string& what) {
  return fail(Errc::invalid_input,
              std::string(file) + ":" + std::to_string(peer.line) + ": " + what);
}

// The fleet's networks are apart from each other, so of those in order only the last that begins
// before a block can hold it.
bool lies_in(const std::vector<Prefix>& networks, const Prefix& block) {
  const auto after =
      std::upper_bound(networks.begin(), networks.end(), block,
                       [](const Prefix& a, const Prefix& b) { return a.address < b.address; });
  if (after == networks.begin()) return false;
  const Prefix& network = *(after - 1);
  return network.length <= block.length && network.contains(block.address);
}

}  // namespace

Status check_registry(const Fleet& fleet, const std::vector<Peer>& peers, std::string_view file,
                      const std::vector<PublicKey>& gateways) {
  std::vector<Prefix> networks = fleet.clients;
  std::sort(networks.begin(), networks.end());
  for (const Peer& peer : peers) {
    if (std::find(gateways.begin(), gateways.end(), peer.public_key) != gateways.end()) {
      return wrong(file, peer,
                   "public_key: is the gateways' own (`identity` of the fleet): a client has a key "
                   "of its own");
    }
    for (const Prefix& block : peer.allowed_ips) {
      if (!lies_in(networks, block)) {
        return wrong(file, peer,
                     "allowed_ips: " + block.string() + " is in none of the fleet's `clients`");
      }
      if (fleet.probe && block.contains(fleet.probe->source)) {
        return wrong(file, peer,
                     "allowed_ips: " + block.string() + " holds " + fleet.probe->source.string() +
                         ", the probe's own address (`probe.source` of the fleet), which no client "
                         "may have");
      }
    }
  }
  return {};
}

}  // namespace weir::manifests
