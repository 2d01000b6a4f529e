#pragma once

#include <string_view>

#include "deployer/wireguard/secret_key.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/base/secret_bytes.h"

namespace weir::node {

/// The X25519 pair a node makes at its boot; private and preshared keys come sealed to it
/// (crypto_box_seal of libsodium).
class SealKey {
 public:
  /// errors: bug: libsodium cannot start
  static Result<SealKey> from_secret(const wireguard::SecretKey& secret);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  /// sealed  base64 of 80 bytes
  /// errors  unauthorized: not sealed to this key, or changed; invalid_input: not that form
  [[nodiscard]] Result<wireguard::SecretKey> open(std::string_view sealed) const;
  /// The same of anything, at most `manifests::kLargestNodeFile`. sealed: base64
  [[nodiscard]] Result<SecretBytes> open_bytes(std::string_view sealed) const;

 private:
  SealKey(const PublicKey& public_key, const wireguard::SecretKey& secret)
      : public_key_(public_key), secret_(secret) {}
  PublicKey public_key_;
  wireguard::SecretKey secret_;
};

/// The WireGuard public key of a private one (X25519 with the base point).
/// errors: invalid_input: the zero key
[[nodiscard]] Result<PublicKey> public_key_of(const wireguard::SecretKey& private_key);

}  // namespace weir::node
