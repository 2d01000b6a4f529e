#include "keys/identity/edge/registry.h"

#include <algorithm>
#include <utility>

#include "keys/identity/edge/identity_files.h"
#include "keys/identity/wireguard_identity.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/paths.h"
#include "manifests/base/printable.h"
#include "manifests/documents/registry.h"

namespace weir::keys {
namespace {

constexpr ByteCount kLargestPeers{1ULL << 30}, kLargestIdentity{16384};

Status check_preshared_key(const std::string& path) {
  TRY_ASSIGN(
      const Secret key,
      if_missing(read_wireguard_key(path),
                 "put there what the client has, or make one for both: (umask 077; wg genpsk > " +
                     shell_word(path) + ")"));
  const Bytes bytes = key.bytes();
  if (std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; })) {
    return fail(Errc::invalid_input,
                path + ": is all zeros, which is no key: make one (wg genpsk)");
  }
  return {};
}

Result<std::vector<manifests::Peer>> peers_of(const std::string& text, const std::string& path) {
  TRY_ASSIGN(auto peers, manifests::parse_peers(text, path));
  for (const manifests::Peer& peer : peers) {
    if (!peer.preshared_key_file) continue;
    TRY_IN(check_preshared_key(path_at(folder_of(path), *peer.preshared_key_file)),
           path + ":" + std::to_string(peer.line) + ": preshared_key_file");
  }
  return peers;
}

}  // namespace

Result<std::vector<manifests::Peer>> read_peers(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_file(path, kLargestPeers));
  return peers_of(text, path);
}

Result<std::vector<PublicKey>> read_gateway_keys(const std::string& path) {
  const auto text = read_file(path, kLargestIdentity);
  if (!text && text.error().code == Errc::not_found) return std::vector<PublicKey>();
  TRY(text);
  TRY_ASSIGN_IN(const IdentityKeys keys, sealed_public_keys(*text), path);
  return keys.oldest_first();
}

Result<std::vector<manifests::Peer>> read_registry(const manifests::Fleet& fleet,
                                                   const std::string& folder) {
  const std::string path = path_at(folder, fleet.peers);
  TRY_ASSIGN_IN(const std::string text,
                if_missing(read_file(path, kLargestPeers),
                           "write a line of JSON there for each client (docs/peers.md); an empty "
                           "file while there is none"),
                fleet.where_named("peers"));
  TRY_ASSIGN(auto peers, peers_of(text, path));
  TRY_ASSIGN(const auto gateways, read_gateway_keys(path_at(folder, fleet.identity)));
  TRY(manifests::check_registry(fleet, peers, path, gateways));
  return peers;
}

}  // namespace weir::keys
