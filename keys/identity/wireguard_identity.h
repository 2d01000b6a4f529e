#pragma once

#include <string>
#include <string_view>

#include "keys/signing/secret.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// A gateway's WireGuard key pair. Every node of a fleet carries the same one: to a client, blue
/// and green are one server.
struct WireGuardIdentity {
  PublicKey public_key;
  Secret private_key;  ///< 32 bytes, clamped
};

/// A WireGuard key as files hold it: 44 characters of base64, one line (`wg genkey`, `wg genpsk`).
/// The text is not echoed in errors. errors: invalid_input
[[nodiscard]] Result<Secret> parse_wireguard_key(std::string_view base64);

/// The public key that belongs to a private one (X25519). errors: invalid_input
[[nodiscard]] Result<PublicKey> public_key_of(const Secret& private_key);

/// What opens a sealed file: a passphrase, stretched with Argon2id, or the 32 random bytes of a key
/// file.
struct SealingKey {
  enum class Kind { passphrase, key_file } kind;
  Secret bytes;
};

/// The sealed file's text: JSON with type, public key, key derivation, nonce and XChaCha20-Poly1305
/// ciphertext; everything but the ciphertext is authenticated too. Format: docs/keys.md.
/// `salt` 16 random bytes and `nonce` 24 random bytes, never used before with this key.
[[nodiscard]] Result<std::string> seal_identity(const WireGuardIdentity& identity,
                                                const SealingKey& key, Bytes salt, Bytes nonce);
/// errors: unauthorized: wrong passphrase or key file, or changed bytes; invalid_input: malformed,
/// or
///         sealed with the other kind of key; exhausted: no memory for its Argon2id parameters
[[nodiscard]] Result<WireGuardIdentity> open_identity(std::string_view sealed,
                                                      const SealingKey& key);
/// What a sealed file says its public key is; unverified until opened. errors: invalid_input
[[nodiscard]] Result<PublicKey> sealed_public_key(std::string_view sealed);
[[nodiscard]] Result<SealingKey::Kind> sealed_with(std::string_view sealed);

/// crypto_box_seal to a node's boot key; base64, as node_api's `sealed` fields hold it. The one
/// function here that draws random numbers: libsodium makes the ephemeral key itself. errors:
/// invalid_input: the key is not a point that anything can be sealed to
[[nodiscard]] Result<std::string> seal_to_node(const Secret& secret, const PublicKey& seal_key);

}  // namespace weir::keys
