#pragma once

#include <optional>
#include <string>

#include "keys/minisign.h"
#include "keys/wireguard_identity.h"
#include "manifests/result.h"

namespace weir::keys {

/// Fresh keys from the system's random numbers.
[[nodiscard]] Result<SigningKeyPair> make_signing_key();
[[nodiscard]] Result<WireGuardIdentity> make_wireguard_identity();

/// Reads a .pub file. errors: not_found, io, invalid_input; each names the file
[[nodiscard]] Result<SigningPublicKey> read_public_key(const std::string& path);
/// Reads and opens a minisign secret key; asks for a passphrase where one is needed (WEIR_PASSPHRASE,
/// else the terminal). errors: as above, unauthorized
[[nodiscard]] Result<SigningSecretKey> read_secret_key(const std::string& path);
/// Reads and opens a sealed identity. `key_file` absent: WEIR_PASSPHRASE, else the terminal.
[[nodiscard]] Result<WireGuardIdentity> read_identity(const std::string& path,
                                                      const std::optional<std::string>& key_file);

}  // namespace weir::keys
