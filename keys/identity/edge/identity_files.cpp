#include "keys/identity/edge/identity_files.h"

#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"
#include "manifests/base/edge/file.h"

namespace weir::keys {

Result<WireGuardKeyPair> make_wireguard_key_pair() {
  TRY_ASSIGN(Secret secret, random_secret(32));
  // RFC 7748, section 5: what every X25519 does before use; stored so, as `wg genkey` does.
  const auto bytes = secret.writable();
  bytes[0] &= 248;
  bytes[31] = static_cast<std::uint8_t>((bytes[31] & 127) | 64);
  return WireGuardKeyPair::of(std::move(secret));
}

Result<WireGuardIdentity> make_wireguard_identity() {
  TRY_ASSIGN(WireGuardKeyPair pair, make_wireguard_key_pair());
  return WireGuardIdentity(std::move(pair));
}

Result<WireGuardIdentity> read_identity(const std::string& path,
                                        const std::optional<std::string>& key_file) {
  TRY_ASSIGN(const std::string text, read_file(path, kLargestKeyFile));
  TRY_ASSIGN_IN(const SealingKey::Kind kind, sealed_with(text), path);
  SealingKey key{SealingKey::Kind::key_file, {}};
  if (key_file) {
    TRY_ASSIGN(key.bytes, read_key_file(*key_file));
  } else if (kind == SealingKey::Kind::key_file) {
    return fail(Errc::invalid_input, path + ": sealed with a key file, and none was named");
  } else {
    key.kind = SealingKey::Kind::passphrase;
    TRY_ASSIGN_IN(key.bytes, ask_passphrase("Passphrase for " + path, Asking::known), path);
    tell_derivation();
  }
  TRY_ASSIGN_IN(WireGuardIdentity identity, open_identity(text, key), path);
  return identity;
}

Result<Secret> read_wireguard_key(const std::string& path) {
  TRY_ASSIGN(const Secret content, read_guarded_secret(path));
  TRY_ASSIGN_IN(Secret key, parse_wireguard_key(content.text()), path);
  return key;
}

Result<Secret> read_key_file(const std::string& path) {
  TRY_ASSIGN(Secret content, read_guarded_secret(path));
  if (content.size() != 32) {
    return fail(Errc::invalid_input, path + ": not a key file (it must hold exactly 32 bytes)");
  }
  return content;
}

}  // namespace weir::keys
