#include "keys/signing/edge/signing_key.h"

#include <utility>

#include "keys/signing/edge/key_files.h"

namespace weir::keys {

Result<SigningKey> SigningKey::from_file(const std::string& path) {
  TRY_ASSIGN(auto key, read_secret_key(path));
  return SigningKey(Key(std::move(key)));
}

Result<SigningKey> SigningKey::from_token(const std::string& uri) {
  TRY_ASSIGN(auto key, Pkcs11Key::open(uri));
  return SigningKey(Key(std::move(key)));
}

Status SigningKey::check(const std::string& path, const std::string& uri) {
  if (!path.empty()) TRY(check_secret_key(path));
  if (!uri.empty()) TRY(Pkcs11Key::check_uri(uri));
  return {};
}

Result<SigningKey> SigningKey::open(const std::string& path, const std::string& uri) {
  return path.empty() ? from_token(uri) : from_file(path);
}

SigningPublicKey SigningKey::public_key() const {
  if (const auto* file = std::get_if<SigningSecretKey>(&key_)) return public_key_of(*file);
  return std::get<Pkcs11Key>(key_).public_key();
}

Signer SigningKey::signer() const {
  if (const auto* file = std::get_if<SigningSecretKey>(&key_)) return signer_with(*file);
  return std::get<Pkcs11Key>(key_).signer();
}

}  // namespace weir::keys
