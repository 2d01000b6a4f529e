#include "keys/trust/provenance.h"

#include <algorithm>
#include <optional>

#include "keys/signing/envelope.h"

namespace weir::keys {
namespace {

using manifests::DsseEnvelope;

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

/// `verify_provenance` of one envelope.
Result<VerifiedProvenance> verify_envelope(std::string_view text,
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
  return VerifiedProvenance(std::move(provenance), ids_of(signers), std::move(envelope.payload),
                            std::string(text));
}

Result<VerifiedProvenance> verify_provenance(std::string_view text,
                                             const Verified<manifests::Release>& release,
                                             const SignerDemand& trusted) {
  TRY_ASSIGN_IN(const auto envelopes, manifests::envelopes_in(text), "provenance");
  std::optional<VerifiedProvenance> good;
  std::optional<Error> strangers, malformed;
  std::vector<std::string> notes;
  for (const std::string_view each : envelopes) {
    auto one = verify_envelope(each, release, trusted);
    if (one) {
      if (!good) good = std::move(*one);
      continue;
    }
    Error error = std::move(one).error();
    if (error.code == Errc::integrity) return tl::unexpected(std::move(error));
    if (error.code == Errc::unauthorized) {
      if (!strangers) strangers = std::move(error);
      continue;
    }
    notes.push_back("beside a good provenance, one counts for nothing: " + error.message);
    if (!malformed) malformed = std::move(error);
  }
  if (good) {
    if (envelopes.size() > 1) good->envelope_ += '\n';
    good->notes_ = std::move(notes);
    return std::move(*good);
  }
  return tl::unexpected(std::move(strangers ? *strangers : *malformed));
}

}  // namespace weir::keys
