#pragma once

#include <optional>
#include <string>

#include "keys/identity/wireguard_identity.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// A fresh pair from the system's random numbers. errors: exhausted
[[nodiscard]] Result<WireGuardKeyPair> make_wireguard_key_pair();
/// An identity of one such pair. errors: as above
[[nodiscard]] Result<WireGuardIdentity> make_wireguard_identity();

/// Reads and opens a sealed identity. `key_file` absent: WEIR_PASSPHRASE, else the terminal.
/// errors: not_found, io, invalid_input, naming the file; unauthorized: wrong passphrase or key
/// file, or a key file that others may read
[[nodiscard]] Result<WireGuardIdentity> read_identity(const std::string& path,
                                                      const std::optional<std::string>& key_file);
/// A preshared or private key as `wg genpsk` and `wg genkey` write it. 32 bytes. errors: as above
[[nodiscard]] Result<Secret> read_wireguard_key(const std::string& path);
/// The 32 bytes of a key file that seals identities. errors: as above
[[nodiscard]] Result<Secret> read_key_file(const std::string& path);

}  // namespace weir::keys
