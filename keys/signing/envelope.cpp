#include "keys/signing/envelope.h"

#include <sodium.h>

#include <algorithm>

namespace weir::keys {
namespace {

using manifests::DsseEnvelope;
using manifests::DsseSignature;

bool fits(const SigningPublicKey& key, std::string_view encoded, std::string_view signature) {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.data()),
                                     reinterpret_cast<const unsigned char*>(encoded.data()),
                                     encoded.size(), key.key.data()) == 0;
}

// The 64 bytes in a .minisig that `verify` found to be well-formed and direct ("Ed").
Result<std::string> bytes_in(std::string_view text) {
  const auto begin = text.find('\n') + 1;
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  while (line.ends_with('\r')) line.remove_suffix(1);
  TRY_ASSIGN(const std::string raw, parse_base64(line));
  if (raw.compare(0, 2, "Ed") != 0) {
    return fail(Errc::invalid_input,
                "a signature over a hash: sign the file itself (minisign -S -l)");
  }
  return raw.substr(raw.size() - crypto_sign_BYTES);
}

}  // namespace

Result<DsseSignature> sign_payload(const Signer& signer, std::string_view payload_type,
                                   std::string_view payload) {
  const std::string encoded = manifests::pre_authentication_encoding(payload_type, payload);
  TRY_ASSIGN(const Ed25519Signature signature, signer.sign(as_bytes(encoded)));
  return DsseSignature{print(signer.id), {signature.begin(), signature.end()}};
}

Result<DsseSignature> foreign_signature(const SigningPublicKey& key, std::string_view payload_type,
                                        std::string_view payload, std::string_view signature) {
  const std::string encoded = manifests::pre_authentication_encoding(payload_type, payload);
  std::string raw(signature);
  if (signature.size() != crypto_sign_BYTES) {
    TRY(signer_of(signature));
    TRY_ASSIGN(raw, bytes_in(signature));
  }
  if (!fits(key, encoded, raw)) {
    return fail(Errc::unauthorized,
                "the signature is not key " + print(key.id) + "'s over this provenance");
  }
  return DsseSignature{print(key.id), std::move(raw)};
}

std::vector<SigningPublicKey> signers_of(const DsseEnvelope& envelope,
                                         const std::vector<SigningPublicKey>& trusted) {
  const std::string encoded =
      manifests::pre_authentication_encoding(envelope.payload_type, envelope.payload);
  std::vector<SigningPublicKey> out;
  for (const SigningPublicKey& key : trusted) {
    const bool counted = std::any_of(out.begin(), out.end(),
                                     [&](const auto& other) { return other.key == key.key; });
    // The id is a hint that saves time: where there is none, every key is tried.
    const bool signs = std::any_of(envelope.signatures.begin(), envelope.signatures.end(),
                                   [&](const DsseSignature& one) {
                                     return (one.key_id.empty() || one.key_id == print(key.id)) &&
                                            fits(key, encoded, one.signature);
                                   });
    if (signs && !counted) out.push_back(key);
  }
  return out;
}

}  // namespace weir::keys
