#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "keys/signing/secret.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

/// minisign's key and signature files (its version 0.11; format: docs/keys.md), so that the stock
/// tool checks what Weir signs and the other way round. What it takes is taken, and no more: in key
/// files the first line is never looked at (it may hold a byte order mark); what follows the last
/// line that counts is not read; lines may end with CR and LF.
namespace weir::keys {

using KeyId = std::array<std::uint8_t, 8>;  ///< shown as 16 upper-case hex digits, last byte first

/// An Ed25519 public key in minisign's format (`RW...`).
struct SigningPublicKey {
  KeyId id{};
  std::array<std::uint8_t, 32> key{};
  bool operator==(const SigningPublicKey&) const = default;
};

/// An Ed25519 secret key. The 64 bytes (seed, public key) lie in locked memory.
struct SigningSecretKey {
  KeyId id{};
  Secret key;  ///< 64 bytes
};

struct SigningKeyPair {
  SigningPublicKey public_key;
  SigningSecretKey secret_key;
};

[[nodiscard]] std::string print(const KeyId& id);

/// The public half of a secret key.
[[nodiscard]] SigningPublicKey public_key_of(const SigningSecretKey& key);

/// The two-line .pub file, or its base64 line alone. errors: invalid_input
[[nodiscard]] Result<SigningPublicKey> parse_public_key(std::string_view text);
[[nodiscard]] std::string print(const SigningPublicKey& key);

/// How a new secret key file is protected.
struct SecretKeyProtection {
  Secret passphrase;
  std::array<std::uint8_t, 32> salt{};  ///< random, never used before
};

/// The text of a secret key file: encrypted with scrypt (2^25 operations, 1 GiB, as minisign does),
/// or in clear where `protection` is null. `comment` goes into the first line. errors:
/// invalid_input: `comment` is longer than one line; exhausted: no memory for scrypt
[[nodiscard]] Result<Secret> print_secret_key(const SigningSecretKey& key,
                                              const SecretKeyProtection* protection,
                                              std::string_view comment);
/// Opens a minisign secret key file. `passphrase` is ignored by keys that have none.
/// errors: invalid_input: not such a file, or damaged; unauthorized: wrong passphrase; exhausted:
/// its
///         scrypt parameters ask for more than a GiB, or for more than there is
[[nodiscard]] Result<SigningSecretKey> decrypt_secret_key(std::string_view text,
                                                          const Secret& passphrase);
/// Whether opening the file takes a passphrase. errors: invalid_input
[[nodiscard]] Result<bool> needs_passphrase(std::string_view text);

/// The text of a .minisig file over `message`, prehashed (minisign's "ED"), with a trusted comment.
/// Deterministic: equal arguments, equal text.
/// errors: invalid_input: `trusted_comment` is longer than one line
[[nodiscard]] Result<std::string> sign(const SigningSecretKey& key, Bytes message,
                                       std::string_view trusted_comment);

using Ed25519Signature = std::array<std::uint8_t, 64>;
/// Signs bytes with a key that may be somewhere else: in a device, on another machine.
using Ed25519Signer = std::function<Result<Ed25519Signature>(Bytes)>;
/// A key that signs, wherever it is.
struct Signer {
  KeyId id{};
  Ed25519Signer sign;
};
/// One that uses `key`, which must outlive it.
[[nodiscard]] Signer signer_with(const SigningSecretKey& key);

using Prehash = std::array<std::uint8_t, 64>;  ///< BLAKE2b-512 of a message
[[nodiscard]] Prehash prehash(Bytes message);
/// `sign` for a message of which only its hash is at hand. Calls `signer` twice: with the hash,
/// then with the signature followed by the trusted comment.
[[nodiscard]] Result<std::string> sign_prehashed(const Signer& signer, const Prehash& hash,
                                                 std::string_view trusted_comment);

/// Prehashed signatures and minisign's older, direct ones ("Ed"); the trusted comment is checked
/// too. errors: unauthorized: not this key's signature over these bytes; invalid_input: malformed
[[nodiscard]] Status verify(const SigningPublicKey& key, Bytes message, std::string_view signature);
/// Which key a signature says it is from. errors: invalid_input
[[nodiscard]] Result<KeyId> signer_of(std::string_view signature);
/// Its trusted comment, worth nothing before `verify`. errors: invalid_input
[[nodiscard]] Result<std::string> trusted_comment_of(std::string_view signature);

}  // namespace weir::keys
