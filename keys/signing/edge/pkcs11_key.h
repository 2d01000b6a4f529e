#pragma once

#include <memory>
#include <string>

#include "keys/signing/minisign.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// An Ed25519 key that never leaves its token: a smart card, a hardware module, SoftHSM. What it
/// signs is an ordinary minisign signature.
class Pkcs11Key {
 public:
  /// Finds the one key that `uri` names and logs in.
  ///
  /// uri      RFC 7512: "pkcs11:token=release;object=key?module-path=/usr/lib/...so". Without a
  ///          module-path: the modules p11-kit is configured for. The PIN: `pin-value`,
  ///          `pin-source=file:PATH`, WEIR_PASSPHRASE, else the terminal
  /// errors   invalid_input: not such a URI, or the key is not an Ed25519 one; not_found: no token
  ///          or key fits; exhausted: several keys fit; unauthorized: PIN; io: the module's own
  static Result<Pkcs11Key> open(const std::string& uri);
  /// Whether `open` gets as far as the PIN, which is not asked for. errors: as those of `open`
  [[nodiscard]] static Status check_uri(const std::string& uri);

  Pkcs11Key(Pkcs11Key&&) noexcept;
  Pkcs11Key& operator=(Pkcs11Key&&) noexcept;
  ~Pkcs11Key();

  /// As minisign shows it. The key id is the token's CKA_ID where that has 8 bytes, else the first
  /// 8 bytes of the public key's SHA-256: always the same for the same key.
  [[nodiscard]] const SigningPublicKey& public_key() const;
  /// Signs with this key, which must outlive it.
  [[nodiscard]] Signer signer() const;

 private:
  struct Session;
  explicit Pkcs11Key(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

}  // namespace weir::keys
