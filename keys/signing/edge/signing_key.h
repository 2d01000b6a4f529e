#pragma once

#include <string>
#include <variant>

#include "keys/signing/edge/pkcs11_key.h"
#include "keys/signing/minisign.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// A key that is open for signing, wherever it is.
class SigningKey {
 public:
  /// A minisign secret key file. errors: as read_secret_key
  static Result<SigningKey> from_file(const std::string& path);
  /// A key in a token. errors: as Pkcs11Key::open
  static Result<SigningKey> from_token(const std::string& uri);
  /// One of both: exactly one of the arguments is not empty.
  static Result<SigningKey> open(const std::string& path, const std::string& uri);
  /// Whether `open` will open it, as far as that can be told without passphrase or PIN; for plans.
  /// Neither of both: nothing signs.
  [[nodiscard]] static Status check(const std::string& path, const std::string& uri);

  [[nodiscard]] SigningPublicKey public_key() const;
  /// Signs with this key, which must outlive it.
  [[nodiscard]] Signer signer() const;

 private:
  using Key = std::variant<SigningSecretKey, Pkcs11Key>;
  explicit SigningKey(Key key) : key_(std::move(key)) {}
  Key key_;
};

}  // namespace weir::keys
