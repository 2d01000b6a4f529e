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
  if (line.ends_with('\r')) line.remove_suffix(1);
  TRY_ASSIGN(const std::string raw, parse_base64(line));
  if (raw.compare(0, 2, "Ed") != 0) {
    return fail(Errc::invalid_input,
                "a signature over a hash: sign the file itself (minisign -S -l)");
  }
  return raw.substr(raw.size() - crypto_sign_BYTES);
}

std::string ids_of(const std::vector<SigningPublicKey>& keys) {
  std::string out;
  for (const SigningPublicKey& key : keys) out += (out.empty() ? "" : ", ") + print(key.id);
  return out;
}

Result<manifests::Provenance> read_payload(const DsseEnvelope& envelope) {
  if (envelope.payload_type != manifests::kInTotoPayload) {
    return fail(Errc::invalid_input, "payloadType: '" + envelope.payload_type + "' is not '" +
                                         std::string(manifests::kInTotoPayload) + "'");
  }
  return manifests::parse_provenance(envelope.payload);
}

Status check_subject(const manifests::Provenance& provenance,
                     const Verified<manifests::Release>& release) {
  if (provenance.release == release->name && provenance.lock_digest == release->lock_digest &&
      provenance.subject == manifests::subject_of(*release, release.digest())) {
    return {};
  }
  return fail(Errc::integrity, "is about something else than release " + release->name.string() +
                                   " (" + release.digest().string() + ")");
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

Result<SignerDemand> release_signers(const manifests::Trust& trust,
                                     const manifests::ChannelName& channel) {
  const manifests::TrustRole* role = &trust.roles.at(manifests::Role::release);
  for (const auto& each : trust.channels) {
    if (each.name == channel && each.release) role = &*each.release;
  }
  SignerDemand out{{}, role->threshold};
  for (const auto& known : trust.keys) {
    TRY_ASSIGN(const auto key, parse_public_key(known.public_key));
    if (std::find(role->keys.begin(), role->keys.end(), print(key.id)) != role->keys.end()) {
      out.keys.push_back(key);
    }
  }
  return out;
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

Result<VerifiedProvenance> verify_provenance(std::string_view text,
                                             const Verified<manifests::Release>& release,
                                             const SignerDemand& trusted) {
  constexpr std::string_view kWhere = "provenance";
  TRY_ASSIGN_IN(DsseEnvelope envelope, manifests::parse_dsse_envelope(text), kWhere);
  const auto signers = signers_of(envelope, trusted.keys);
  if (signers.empty() || signers.size() < trusted.threshold) {
    std::string by;
    for (const auto& one : envelope.signatures) {
      by += (by.empty() ? "" : ", ") + one.key_id;
      const auto named = [&](const auto& key) { return print(key.id) == one.key_id; };
      const bool known = std::any_of(trusted.keys.begin(), trusted.keys.end(), named);
      if (known && std::none_of(signers.begin(), signers.end(), named)) {
        return fail(Errc::integrity, "provenance: key " + one.key_id +
                                         "'s signature does not fit: it was changed after signing");
      }
    }
    const std::string whose = "(it names " + by + "; trusted: " + ids_of(trusted.keys) + ")";
    return fail(Errc::unauthorized,
                signers.empty()
                    ? "provenance: no trusted key's signature fits " + whose
                    : "provenance: signed by " + std::to_string(signers.size()) + " of the " +
                          std::to_string(trusted.threshold) + " keys it takes " + whose +
                          "; weir-builder attest adds a signature");
  }
  TRY_ASSIGN(manifests::Provenance provenance, read_payload(envelope));
  TRY_IN(check_subject(provenance, release), kWhere);
  return VerifiedProvenance(std::move(provenance), ids_of(signers), std::move(envelope.payload));
}

}  // namespace weir::keys
