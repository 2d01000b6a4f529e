#pragma once

#include <string>
#include <string_view>

#include "keys/identity/epochs.h"
#include "keys/signing/secret.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// A WireGuard key as files hold it: 44 characters of base64, one line (`wg genkey`, `wg genpsk`).
/// The text is not echoed in errors. errors: invalid_input
[[nodiscard]] Result<Secret> parse_wireguard_key(std::string_view base64);

/// The public key that belongs to a private one (X25519). errors: invalid_input
[[nodiscard]] Result<PublicKey> public_key_of(const Secret& private_key);

/// A WireGuard private key, and the public key that belongs to it.
class WireGuardKeyPair {
 public:
  /// `private_key` 32 bytes, clamped. errors: as `public_key_of`
  static Result<WireGuardKeyPair> of(Secret private_key);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] const Secret& private_key() const { return private_key_; }
  /// Whether they are one to whoever has the public key.
  bool operator==(const WireGuardKeyPair& other) const { return public_key_ == other.public_key_; }

 private:
  WireGuardKeyPair(PublicKey public_key, Secret private_key)
      : public_key_(public_key), private_key_(std::move(private_key)) {}
  PublicKey public_key_;
  Secret private_key_;
};

/// A fleet's gateways, as clients know them. Every node carries the same one: to a client, blue
/// and green are one server.
using WireGuardIdentity = Epochs<WireGuardKeyPair>;
/// The public half of it.
using IdentityKeys = Epochs<PublicKey>;

[[nodiscard]] IdentityKeys keys_of(const WireGuardIdentity& identity);

/// Whether nodes can serve it. They hold one key: given either of two, they would lock out those
/// clients that know the other.
/// errors: invalid_input: two epochs; names both public keys and says what to do
[[nodiscard]] Status check_served(const IdentityKeys& keys);

/// What opens a sealed file: a passphrase, stretched with Argon2id, or the 32 random bytes of a key
/// file.
struct SealingKey {
  enum class Kind { passphrase, key_file } kind;
  Secret bytes;
};

/// The sealed file's text: JSON with type, public keys, key derivation, nonce and
/// XChaCha20-Poly1305 ciphertext of the private keys; everything but the ciphertext is
/// authenticated too. Format: docs/keys.md; its version says whether it is of one epoch or of two.
/// `salt` 16 random bytes and `nonce` 24 random bytes, never used before with this key.
[[nodiscard]] Result<std::string> seal_identity(const WireGuardIdentity& identity,
                                                const SealingKey& key, Bytes salt, Bytes nonce);
/// errors: unauthorized: wrong passphrase or key file, or changed bytes; invalid_input: malformed,
///         or sealed with the other kind of key; integrity: a private key that is not the one of
///         the public key in its place; exhausted: no memory for its Argon2id parameters
[[nodiscard]] Result<WireGuardIdentity> open_identity(std::string_view sealed,
                                                      const SealingKey& key);
/// What a sealed file says its public keys are; unverified until opened. errors: invalid_input
[[nodiscard]] Result<IdentityKeys> sealed_public_keys(std::string_view sealed);
[[nodiscard]] Result<SealingKey::Kind> sealed_with(std::string_view sealed);

/// crypto_box_seal to a node's boot key; base64, as node_api's `sealed` fields hold it. The one
/// function here that draws random numbers: libsodium makes the ephemeral key itself. errors:
/// invalid_input: the key is not a point that anything can be sealed to
[[nodiscard]] Result<std::string> seal_to_node(const Secret& secret, const PublicKey& seal_key);

}  // namespace weir::keys
