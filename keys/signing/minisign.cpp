#include "keys/signing/minisign.h"

#include <sodium.h>

#include <algorithm>
#include <optional>

#include "manifests/base/names.h"

namespace weir::keys {
namespace {

// Layouts: minisign 0.11, src/minisign.h (SeckeyStruct, PubkeyStruct, SigStruct).
constexpr std::string_view kComment = "untrusted comment: ";
constexpr std::string_view kTrusted = "trusted comment: ";
// minisign reads lines into buffers of 1024 and 8192 bytes, prefix and end included.
constexpr std::size_t kLongestFirst = 1022;
constexpr std::size_t kLongestComment = 1000;
constexpr std::size_t kLongestTrusted = 8000;

constexpr std::size_t kPublicSize = 2 + 8 + 32;
constexpr std::size_t kSignatureSize = 2 + 8 + 64;

// Offsets in the secret key structure.
constexpr std::size_t kKdf = 2, kChecksumKind = 4, kSalt = 6, kOps = 38, kMemory = 46, kBox = 54;
// Offsets in its encrypted part.
constexpr std::size_t kBoxKey = 8, kBoxSum = 72, kBoxSize = 104;
constexpr std::size_t kSecretSize = kBox + kBoxSize;

constexpr std::uint64_t kMostMemory = crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE;
constexpr std::uint64_t kMostOps = crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE;

bool one_line(std::string_view text, std::size_t longest) {
  return text.size() <= longest && text.find_first_of(std::string_view("\n\r\0", 3)) == text.npos;
}

/// Cuts the first line off `text`, without its end.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// The second line of a key file, which is all that counts: minisign takes any first line, so also
/// one with a byte order mark, and does not read on.
std::string_view key_line(std::string_view text) {
  const std::string_view comment = take_line(text);
  if (comment.size() > kLongestFirst) return {};
  return take_line(text);
}

void store_le64(std::span<std::uint8_t> out, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint64_t load_le64(std::span<const std::uint8_t> in) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | in[i];
  return value;
}

/// The checksum inside a secret key file: BLAKE2b-256 of algorithm, key id and key.
void checksum(std::span<const std::uint8_t> structure, std::span<std::uint8_t> out) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, 32);
  crypto_generichash_update(&state, structure.data(), 2);
  crypto_generichash_update(&state, structure.data() + kBox, kBoxSum);
  crypto_generichash_final(&state, out.data(), 32);
}

/// En- or decrypts the box of a secret key structure in place: XOR with scrypt's output.
Status crypt_box(Secret& structure, const Secret& passphrase) {
  const auto bytes = structure.writable();
  const std::uint64_t ops = load_le64(bytes.subspan(kOps));
  const std::uint64_t memory = load_le64(bytes.subspan(kMemory));
  if (ops > kMostOps || memory > kMostMemory) {
    return fail(
        Errc::exhausted,
        "the key file's scrypt parameters are above minisign's own (2^25 operations, 1 GiB)");
  }
  TRY_ASSIGN(Secret stream, Secret::of_size(kBoxSize));
  if (crypto_pwhash_scryptsalsa208sha256(stream.writable().data(), kBoxSize,
                                         passphrase.text().data(), passphrase.size(),
                                         bytes.data() + kSalt, ops, memory) != 0) {
    return fail(Errc::exhausted, "not enough memory for the key file's scrypt parameters (" +
                                     print(ByteCount{memory}) + ")");
  }
  for (std::size_t i = 0; i < kBoxSize; ++i) bytes[kBox + i] ^= stream.bytes()[i];
  return {};
}

/// The raw structure of a secret key file.
Result<Secret> read_structure(std::string_view text) {
  const std::string_view coded = key_line(text);
  TRY_ASSIGN(Secret out, Secret::of_size(kSecretSize));
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(out.writable().data(), kSecretSize, coded.data(), coded.size(), nullptr,
                        &size, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != coded.data() + coded.size() || size != kSecretSize) {
    return fail(Errc::invalid_input, "not a minisign secret key file");
  }
  const std::string_view raw = out.text();
  const std::string_view kdf = raw.substr(kKdf, 2);
  if (raw.substr(0, 2) != "Ed" || raw.substr(kChecksumKind, 2) != "B2" ||
      (kdf != "Sc" && kdf != std::string_view("\0\0", 2))) {
    return fail(Errc::invalid_input, "not a minisign secret key file of a kind known here");
  }
  return out;
}

bool is_encrypted(const Secret& structure) {
  return structure.bytes()[kKdf] == 'S';
}

struct SignatureFile {
  bool prehashed = false;
  KeyId id{};
  std::array<std::uint8_t, 64> signature{};
  std::string_view trusted_comment;
  std::array<std::uint8_t, 64> global{};
};

Result<SignatureFile> read_signature(std::string_view text) {
  const auto malformed = [](const char* what) {
    return fail(Errc::invalid_input, std::string("not a minisign signature: ") + what);
  };
  // Unlike in key files, minisign looks at the first line here. It does not read past the fourth.
  const std::string_view comment = take_line(text);
  if (!comment.starts_with(kComment) || comment.size() > kLongestFirst) {
    return malformed("line 1 is not 'untrusted comment: ' and at most 1003 bytes");
  }
  const auto raw = parse_base64(take_line(text));
  if (!raw || raw->size() != kSignatureSize) return malformed("line 2 is not a signature");
  std::string_view trusted = take_line(text);
  if (!trusted.starts_with(kTrusted)) return malformed("line 3 is not a trusted comment");
  trusted.remove_prefix(kTrusted.size());
  if (!one_line(trusted, kLongestTrusted)) return malformed("the trusted comment is too long");
  const auto global = parse_base64(take_line(text));
  if (!global || global->size() != 64) return malformed("line 4 is not the comment's signature");
  SignatureFile out;
  if (!raw->starts_with("ED") && !raw->starts_with("Ed")) return malformed("unknown algorithm");
  out.prehashed = raw->starts_with("ED");
  std::copy_n(raw->begin() + 2, 8, out.id.begin());
  std::copy_n(raw->begin() + 10, 64, out.signature.begin());
  out.trusted_comment = trusted;
  std::copy(global->begin(), global->end(), out.global.begin());
  return out;
}

/// What the global signature covers: the signature, then the trusted comment.
std::string globally_signed(Bytes signature, std::string_view trusted_comment) {
  std::string out(signature.begin(), signature.end());
  return out.append(trusted_comment);
}

}  // namespace

std::string print(const KeyId& id) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (std::size_t i = id.size(); i-- > 0;) {
    out += kDigits[id[i] >> 4];
    out += kDigits[id[i] & 15];
  }
  return out;
}

SigningPublicKey public_key_of(const SigningSecretKey& key) {
  SigningPublicKey out;
  out.id = key.id;
  std::copy_n(key.key.bytes().begin() + 32, 32, out.key.begin());
  return out;
}

Result<SigningPublicKey> parse_public_key(std::string_view text) {
  std::string_view rest = text;
  const std::string_view first = take_line(rest);
  const bool alone = rest.find_first_not_of("\r\n") == rest.npos;
  const auto raw = parse_base64(alone ? first : key_line(text));
  if (!raw || raw->size() != kPublicSize || !raw->starts_with("Ed")) {
    return fail(Errc::invalid_input,
                "not a minisign public key (two lines, the second starts with RW)");
  }
  SigningPublicKey out;
  std::copy_n(raw->begin() + 2, 8, out.id.begin());
  std::copy_n(raw->begin() + 10, 32, out.key.begin());
  return out;
}

std::string print(const SigningPublicKey& key) {
  std::string raw = "Ed";
  raw.append(key.id.begin(), key.id.end()).append(key.key.begin(), key.key.end());
  return std::string(kComment) + "minisign public key " + print(key.id) + "\n" +
         base64_of(as_bytes(raw)) + "\n";
}

Result<Secret> print_secret_key(const SigningSecretKey& key, const SecretKeyProtection* protection,
                                std::string_view comment) {
  if (!one_line(comment, kLongestComment)) {
    return fail(Errc::invalid_input, "a comment is one line of at most 1000 bytes");
  }
  TRY_ASSIGN(Secret structure, Secret::of_size(kSecretSize));
  const auto raw = structure.writable();
  const auto put = [&](std::size_t at, std::string_view bytes) {
    std::copy(bytes.begin(), bytes.end(), raw.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, "Ed");
  put(kChecksumKind, "B2");
  std::copy(key.id.begin(), key.id.end(), raw.begin() + kBox);
  put(kBox + kBoxKey, key.key.text());
  // Keys in clear have neither salt nor checksum, as minisign writes them.
  if (protection != nullptr) {
    checksum(raw, raw.subspan(kBox + kBoxSum));
    put(kKdf, "Sc");
    std::copy(protection->salt.begin(), protection->salt.end(), raw.begin() + kSalt);
    store_le64(raw.subspan(kOps), kMostOps);
    store_le64(raw.subspan(kMemory), kMostMemory);
    TRY(crypt_box(structure, protection->passphrase));
  }
  const std::string head = std::string(kComment) + std::string(comment) + "\n";
  const std::size_t coded = sodium_base64_encoded_len(kSecretSize, sodium_base64_VARIANT_ORIGINAL);
  TRY_ASSIGN(Secret out, Secret::of_size(head.size() + coded));
  const auto text = out.writable();
  std::copy(head.begin(), head.end(), text.begin());
  sodium_bin2base64(reinterpret_cast<char*>(text.data()) + head.size(), coded, raw.data(),
                    kSecretSize, sodium_base64_VARIANT_ORIGINAL);
  text.back() = '\n';  // in place of the encoder's final zero
  return out;
}

Result<bool> needs_passphrase(std::string_view text) {
  TRY_ASSIGN(const Secret structure, read_structure(text));
  return is_encrypted(structure);
}

Result<SigningSecretKey> decrypt_secret_key(std::string_view text, const Secret& passphrase) {
  TRY_ASSIGN(Secret structure, read_structure(text));
  const bool encrypted = is_encrypted(structure);
  if (encrypted) {
    TRY(crypt_box(structure, passphrase));
    TRY_ASSIGN(Secret sum, Secret::of_size(32));
    checksum(structure.bytes(), sum.writable());
    if (sodium_memcmp(sum.bytes().data(), structure.bytes().data() + kBox + kBoxSum, 32) != 0) {
      return fail(Errc::unauthorized, "wrong passphrase (or the file is damaged)");
    }
  }
  const auto box = structure.bytes().subspan(kBox);
  // A public half that is not the seed's own would let signatures give the seed away.
  std::array<std::uint8_t, 32> expected{};
  TRY_ASSIGN(Secret derived, Secret::of_size(64));
  crypto_sign_seed_keypair(expected.data(), derived.writable().data(), box.data() + kBoxKey);
  if (sodium_memcmp(derived.bytes().data(), box.data() + kBoxKey, 64) != 0) {
    return fail(Errc::invalid_input, "the secret key file is damaged: its two halves do not match");
  }
  SigningSecretKey out{.id = {}, .key = std::move(derived)};
  std::copy_n(box.begin(), 8, out.id.begin());
  return out;
}

Prehash prehash(Bytes message) {
  Prehash hash{};
  crypto_generichash(hash.data(), hash.size(), message.data(), message.size(), nullptr, 0);
  return hash;
}

Signer signer_with(const SigningSecretKey& key) {
  Signer out{key.id, {}};
  out.sign = [&key](Bytes bytes) -> Result<Ed25519Signature> {
    if (key.key.size() != 64) return fail(Errc::bug, "a signing key has 64 bytes");
    Ed25519Signature signature{};
    crypto_sign_detached(signature.data(), nullptr, bytes.data(), bytes.size(),
                         key.key.bytes().data());
    return signature;
  };
  return out;
}

Result<std::string> sign_prehashed(const Signer& signer, const Prehash& hash,
                                   std::string_view trusted_comment) {
  if (!one_line(trusted_comment, kLongestTrusted)) {
    return fail(Errc::invalid_input, "a trusted comment is one line of at most 8000 bytes");
  }
  TRY_ASSIGN(const Ed25519Signature signature, signer.sign(hash));
  const std::string covered = globally_signed(signature, trusted_comment);
  TRY_ASSIGN(const Ed25519Signature global, signer.sign(as_bytes(covered)));
  std::string raw = "ED";
  raw.append(signer.id.begin(), signer.id.end()).append(signature.begin(), signature.end());
  return std::string(kComment) + "signature from key " + print(signer.id) + "\n" +
         base64_of(as_bytes(raw)) + "\n" + std::string(kTrusted) + std::string(trusted_comment) +
         "\n" + base64_of(global) + "\n";
}

Result<std::string> sign(const SigningSecretKey& key, Bytes message,
                         std::string_view trusted_comment) {
  return sign_prehashed(signer_with(key), prehash(message), trusted_comment);
}

Status verify(const SigningPublicKey& key, Bytes message, std::string_view signature) {
  TRY_ASSIGN(const SignatureFile file, read_signature(signature));
  if (file.id != key.id) {
    return fail(Errc::unauthorized,
                "signed by key " + print(file.id) + ", not by " + print(key.id));
  }
  Prehash hash{};
  Bytes covered = message;
  if (file.prehashed) {
    hash = prehash(message);
    covered = hash;
  }
  if (crypto_sign_verify_detached(file.signature.data(), covered.data(), covered.size(),
                                  key.key.data()) != 0) {
    return fail(Errc::unauthorized,
                "the signature of key " + print(key.id) + " does not fit these bytes");
  }
  const std::string comment = globally_signed(file.signature, file.trusted_comment);
  if (crypto_sign_verify_detached(file.global.data(), as_bytes(comment).data(), comment.size(),
                                  key.key.data()) != 0) {
    return fail(Errc::unauthorized, "the trusted comment was changed after signing");
  }
  return {};
}

Result<KeyId> signer_of(std::string_view signature) {
  TRY_ASSIGN(const SignatureFile file, read_signature(signature));
  return file.id;
}

Result<std::string> trusted_comment_of(std::string_view signature) {
  TRY_ASSIGN(const SignatureFile file, read_signature(signature));
  return std::string(file.trusted_comment);
}

}  // namespace weir::keys
