#include "keys/identity/wireguard_identity.h"

#include <sodium.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "manifests/base/json_reader.h"

namespace weir::keys {
namespace {

using Kind = SealingKey::Kind;

constexpr std::string_view kOneEpoch = "weir.wireguard-identity/1";
constexpr std::string_view kTwoEpochs = "weir.wireguard-identity/2";
constexpr std::string_view kCipher = "xchacha20-poly1305-ietf";
constexpr std::string_view kPassphrase = "argon2id13";
constexpr std::string_view kKeyFile = "blake2b-key-file";
constexpr std::size_t kKeySize = crypto_scalarmult_curve25519_SCALARBYTES;
constexpr std::size_t kSaltSize = crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::uint64_t kOps = crypto_pwhash_argon2id_OPSLIMIT_MODERATE;
constexpr std::uint64_t kMemory = crypto_pwhash_argon2id_MEMLIMIT_MODERATE;
constexpr std::uint64_t kMostOps = 16;
constexpr std::uint64_t kMostMemory = 1ULL << 30;

/// Everything in a sealed file but the ciphertext.
struct Header {
  IdentityKeys public_keys;
  Kind kind{};
  std::string salt, nonce;                   ///< raw
  std::uint64_t operations = 0, memory = 0;  ///< of Argon2id
};

nlohmann::ordered_json document_of(const Header& header) {
  nlohmann::ordered_json derivation;
  if (header.kind == Kind::passphrase) {
    derivation = {
        {"algorithm", kPassphrase}, {"operations", header.operations}, {"memory", header.memory}};
  } else {
    derivation = {{"algorithm", kKeyFile}};
  }
  derivation["salt"] = base64_of(as_bytes(header.salt));
  nlohmann::ordered_json out;
  if (const PublicKey* outgoing = header.public_keys.outgoing()) {
    out = {{"type", kTwoEpochs},
           {"public_keys", {outgoing->string(), header.public_keys.current().string()}}};
  } else {
    out = {{"type", kOneEpoch}, {"public_key", header.public_keys.current().string()}};
  }
  out["key_derivation"] = std::move(derivation);
  out["cipher"] = kCipher;
  out["nonce"] = base64_of(as_bytes(header.nonce));
  return out;
}

/// What is authenticated beside the ciphertext: the document without it, in one line.
std::string authenticated(const Header& header) {
  return document_of(header).dump();
}

Result<std::string> raw_field(manifests::JsonFields& fields, std::string_view key,
                              std::size_t size) {
  TRY_ASSIGN(const std::string text, fields.string(key));
  auto raw = parse_base64(text);
  if (raw && raw->size() == size) return raw;
  return fields.refuse(key, "must be base64 of " + std::to_string(size) + " bytes");
}

Status expect(manifests::JsonFields& fields, std::string_view key, std::string_view value) {
  TRY_ASSIGN(const std::string text, fields.string(key));
  if (text == value) return {};
  return fields.refuse(key, "must be '" + std::string(value) + "'");
}

Result<std::uint64_t> limited(manifests::JsonFields& fields, std::string_view key,
                              std::uint64_t least, std::uint64_t most) {
  TRY_ASSIGN(const std::uint64_t value, fields.natural(key));
  if (value >= least && value <= most) return value;
  return fields.refuse(key,
                       "must be from " + std::to_string(least) + " to " + std::to_string(most));
}

struct Sealed {
  Header header;
  std::string ciphertext;
};

/// The public keys of a document of this type, by epoch.
Result<IdentityKeys> read_public_keys(manifests::JsonFields& fields, std::string_view type) {
  if (type == kOneEpoch) {
    TRY_ASSIGN(const std::string text, fields.string("public_key"));
    TRY_ASSIGN_IN(const PublicKey key, PublicKey::parse(text), "public_key");
    return IdentityKeys(key);
  }
  TRY_ASSIGN(const nlohmann::json* items, fields.array("public_keys"));
  if (items->size() != 2) return fields.refuse("public_keys", "must be two, the older one first");
  std::vector<PublicKey> keys;
  for (const nlohmann::json& item : *items) {
    const std::string at = "public_keys[" + std::to_string(keys.size()) + "]";
    if (!item.is_string()) return fields.refuse(at, "must be a string");
    TRY_ASSIGN_IN(const PublicKey key, PublicKey::parse(item.get<std::string>()), at);
    keys.push_back(key);
  }
  TRY_ASSIGN_IN(auto epochs, IdentityKeys::of(std::move(keys)), "public_keys");
  return epochs;
}

Result<Sealed> read(std::string_view text) {
  TRY_ASSIGN(const nlohmann::json document, manifests::parse_json(text));
  TRY_ASSIGN(auto fields, manifests::JsonFields::open(document, ""));
  TRY_ASSIGN(const std::string type, fields.string("type"));
  if (type != kOneEpoch && type != kTwoEpochs) {
    return fields.refuse(
        "type", "must be '" + std::string(kOneEpoch) + "' or '" + std::string(kTwoEpochs) + "'");
  }
  TRY(expect(fields, "cipher", kCipher));
  TRY_ASSIGN(IdentityKeys public_keys, read_public_keys(fields, type));
  const std::size_t private_size = kKeySize * public_keys.oldest_first().size();
  Sealed out{Header{.public_keys = std::move(public_keys), .salt = {}, .nonce = {}}, {}};
  TRY_ASSIGN(auto derivation, fields.object("key_derivation"));
  TRY_ASSIGN(const std::string algorithm, derivation.string("algorithm"));
  if (algorithm == kPassphrase) {
    out.header.kind = Kind::passphrase;
    TRY_ASSIGN(out.header.operations,
               limited(derivation, "operations", crypto_pwhash_argon2id_OPSLIMIT_MIN, kMostOps));
    TRY_ASSIGN(out.header.memory,
               limited(derivation, "memory", crypto_pwhash_argon2id_MEMLIMIT_MIN, kMostMemory));
  } else if (algorithm == kKeyFile) {
    out.header.kind = Kind::key_file;
  } else {
    return derivation.refuse("algorithm", "must be 'argon2id13' or 'blake2b-key-file'");
  }
  TRY_ASSIGN(out.header.salt, raw_field(derivation, "salt", kSaltSize));
  TRY(derivation.finish());
  TRY_ASSIGN(out.header.nonce, raw_field(fields, "nonce", kNonceSize));
  TRY_ASSIGN(out.ciphertext, raw_field(fields, "ciphertext", private_size + kTagSize));
  TRY(fields.finish());
  return out;
}

/// The 32 bytes that encrypt, from what the person holds.
Result<Secret> derive(const Header& header, const SealingKey& key) {
  TRY_ASSIGN(Secret out, Secret::of_size(32));
  const Bytes salt = as_bytes(header.salt);
  if (header.kind == Kind::key_file) {
    if (key.bytes.size() != 32) return fail(Errc::invalid_input, "a key file holds 32 bytes");
    crypto_generichash(out.writable().data(), 32, salt.data(), salt.size(),
                       key.bytes.bytes().data(), 32);
    return out;
  }
  if (crypto_pwhash_argon2id(out.writable().data(), 32, key.bytes.text().data(), key.bytes.size(),
                             salt.data(), header.operations, header.memory,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return fail(Errc::exhausted,
                "not enough memory for Argon2id (" + print(ByteCount{header.memory}) + ")");
  }
  return out;
}

const char* name_of(Kind kind) {
  return kind == Kind::passphrase ? "a passphrase" : "a key file";
}

}  // namespace

Result<Secret> parse_wireguard_key(std::string_view base64) {
  TRY_ASSIGN(Secret out, Secret::of_size(33));
  while (!base64.empty() && (base64.back() == '\n' || base64.back() == '\r')) {
    base64.remove_suffix(1);
  }
  std::size_t size = 0;
  const char* end = nullptr;
  if (base64.size() != 44 ||
      sodium_base642bin(out.writable().data(), out.size(), base64.data(), base64.size(), nullptr,
                        &size, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != base64.data() + base64.size() || size != 32) {
    return fail(Errc::invalid_input, "not a WireGuard key (one line of 44 characters of base64)");
  }
  out.shrink(32);
  return out;
}

Result<PublicKey> public_key_of(const Secret& private_key) {
  if (private_key.size() != kKeySize) {
    return fail(Errc::invalid_input, "a WireGuard private key has 32 bytes");
  }
  std::array<std::uint8_t, 32> raw{};
  if (crypto_scalarmult_curve25519_base(raw.data(), private_key.bytes().data()) != 0) {
    return fail(Errc::invalid_input, "this private key has no public key");
  }
  return PublicKey::from_raw(raw);
}

Result<WireGuardKeyPair> WireGuardKeyPair::of(Secret private_key) {
  TRY_ASSIGN(const PublicKey public_key, keys::public_key_of(private_key));
  return WireGuardKeyPair(public_key, std::move(private_key));
}

IdentityKeys keys_of(const WireGuardIdentity& identity) {
  std::vector<PublicKey> keys;
  for (const WireGuardKeyPair& each : identity.oldest_first()) keys.push_back(each.public_key());
  return *IdentityKeys::of(std::move(keys));  // as many as the pairs, and as different
}

Status check_served(const IdentityKeys& keys) {
  const PublicKey* outgoing = keys.outgoing();
  if (outgoing == nullptr) return {};
  return fail(Errc::invalid_input,
              "holds two epochs, " + outgoing->string() + " on its way out and " +
                  keys.current().string() +
                  " for it, and nodes serve one: put an identity there that holds one of them "
                  "alone, the one that the clients' configurations name");
}

Result<std::string> seal_identity(const WireGuardIdentity& identity, const SealingKey& key,
                                  Bytes salt, Bytes nonce) {
  if (salt.size() != kSaltSize || nonce.size() != kNonceSize) {
    return fail(Errc::invalid_input, "sealing takes 16 bytes of salt and 24 of nonce");
  }
  const Header header{.public_keys = keys_of(identity),
                      .kind = key.kind,
                      .salt = std::string(salt.begin(), salt.end()),
                      .nonce = std::string(nonce.begin(), nonce.end()),
                      .operations = kOps,
                      .memory = kMemory};
  TRY_ASSIGN(const Secret secret, derive(header, key));
  const std::string covered = authenticated(header);
  const auto& epochs = identity.oldest_first();
  TRY_ASSIGN(Secret private_keys, Secret::of_size(kKeySize * epochs.size()));
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const auto bytes = epochs[i].private_key().bytes();
    std::copy(bytes.begin(), bytes.end(), private_keys.writable().subspan(i * kKeySize).begin());
  }
  std::vector<std::uint8_t> sealed(private_keys.size() + kTagSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      sealed.data(), nullptr, private_keys.bytes().data(), private_keys.size(),
      as_bytes(covered).data(), covered.size(), nullptr, nonce.data(), secret.bytes().data());
  auto document = document_of(header);
  document["ciphertext"] = base64_of(sealed);
  return document.dump(2) + "\n";
}

Result<WireGuardIdentity> open_identity(std::string_view sealed, const SealingKey& key) {
  TRY_ASSIGN(const Sealed file, read(sealed));
  if (file.header.kind != key.kind) {
    return fail(Errc::invalid_input, std::string("sealed with ") + name_of(file.header.kind) +
                                         ", not with " + name_of(key.kind));
  }
  TRY_ASSIGN(const Secret secret, derive(file.header, key));
  const auto& public_keys = file.header.public_keys.oldest_first();
  TRY_ASSIGN(Secret private_keys, Secret::of_size(kKeySize * public_keys.size()));
  const std::string covered = authenticated(file.header);
  const Bytes ciphertext = as_bytes(file.ciphertext);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          private_keys.writable().data(), nullptr, nullptr, ciphertext.data(), ciphertext.size(),
          as_bytes(covered).data(), covered.size(), as_bytes(file.header.nonce).data(),
          secret.bytes().data()) != 0) {
    return fail(Errc::unauthorized, key.kind == Kind::passphrase
                                        ? "wrong passphrase (or the file was changed)"
                                        : "wrong key file (or the identity was changed)");
  }
  std::vector<WireGuardKeyPair> epochs;
  for (std::size_t i = 0; i < public_keys.size(); ++i) {
    TRY_ASSIGN(Secret own, Secret::copy_of(private_keys.bytes().subspan(i * kKeySize, kKeySize)));
    TRY_ASSIGN(WireGuardKeyPair pair, WireGuardKeyPair::of(std::move(own)));
    if (pair.public_key() != public_keys[i]) {
      return fail(Errc::integrity,
                  "was opened, and contradicts itself: the private key sealed in it is not the one "
                  "of " +
                      public_keys[i].string() +
                      "; restore the file, or make the identity again (weir-keys "
                      "generate-wireguard), whose public key clients then need");
    }
    epochs.push_back(std::move(pair));
  }
  return WireGuardIdentity::of(std::move(epochs));
}

Result<IdentityKeys> sealed_public_keys(std::string_view sealed) {
  TRY_ASSIGN(const Sealed file, read(sealed));
  return file.header.public_keys;
}

Result<SealingKey::Kind> sealed_with(std::string_view sealed) {
  TRY_ASSIGN(const Sealed file, read(sealed));
  return file.header.kind;
}

Result<std::string> seal_to_node(const Secret& secret, const PublicKey& seal_key) {
  if (sodium_init() < 0) return fail(Errc::bug, "libsodium does not start");
  std::string out(secret.size() + crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal(reinterpret_cast<std::uint8_t*>(out.data()), secret.bytes().data(),
                      secret.size(), seal_key.raw().data()) != 0) {
    return fail(Errc::invalid_input, "nothing can be sealed to " + seal_key.string());
  }
  return base64_of(as_bytes(out));
}

}  // namespace weir::keys
