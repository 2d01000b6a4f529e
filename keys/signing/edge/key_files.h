#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "keys/identity/wireguard_identity.h"
#include "keys/signing/minisign.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// Fresh keys from the system's random numbers. errors: exhausted
[[nodiscard]] Result<SigningKeyPair> make_signing_key();
[[nodiscard]] Result<WireGuardIdentity> make_wireguard_identity();
/// `bytes` random bytes.
[[nodiscard]] Result<Secret> random_secret(std::size_t bytes);

/// Any file of keys, at most 16 KiB, read straight into locked memory.
/// errors: not_found, unauthorized, io; invalid_input: larger
[[nodiscard]] Result<Secret> read_guarded(const std::string& path);
/// The same of a secret in clear. errors: unauthorized also: others may read or change it
[[nodiscard]] Result<Secret> read_guarded_secret(const std::string& path);
/// Reads a .pub file. errors: not_found, io, invalid_input; each names the file
[[nodiscard]] Result<SigningPublicKey> read_public_key(const std::string& path);
/// Reads and opens a minisign secret key; asks for a passphrase where one is needed
/// (WEIR_PASSPHRASE, else the terminal). errors: as above; unauthorized: wrong passphrase, or a key
/// in clear that others may read
[[nodiscard]] Result<SigningSecretKey> read_secret_key(const std::string& path);
/// Reads and opens a sealed identity. `key_file` absent: WEIR_PASSPHRASE, else the terminal.
/// errors: as above
[[nodiscard]] Result<WireGuardIdentity> read_identity(const std::string& path,
                                                      const std::optional<std::string>& key_file);
/// A preshared or private key as `wg genpsk` and `wg genkey` write it. 32 bytes. errors: as above
[[nodiscard]] Result<Secret> read_wireguard_key(const std::string& path);
/// The 32 bytes of a key file that seals identities. errors: as above
[[nodiscard]] Result<Secret> read_key_file(const std::string& path);

/// Writes a file that was not there: whole or not at all, never over another. `mode` as in chmod.
/// errors: busy: something is there; io, exhausted
[[nodiscard]] Status write_new_file(const std::string& path, std::string_view content,
                                    unsigned mode);

/// WEIR_PASSPHRASE, else what is typed at the terminal after `prompt`. A new passphrase is asked
/// for twice and may not be empty. errors: unauthorized: no terminal, given up, or the two differ
enum class Asking : std::uint8_t { known, fresh };
[[nodiscard]] Result<Secret> ask_passphrase(const std::string& prompt, Asking asking);

}  // namespace weir::keys
