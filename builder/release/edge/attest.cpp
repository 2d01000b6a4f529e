#include "builder/release/edge/attest.h"

#include <algorithm>
#include <utility>

#include "builder/bill/provenance.h"
#include "builder/bill/sbom_cyclonedx.h"
#include "builder/bill/sbom_spdx.h"
#include "builder/lock/edge/release_lock.h"
#include "images/formats/cpio_reader.h"
#include "images/store/layer_content.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxBill{64ULL << 20};

std::string type() {
  return std::string(manifests::kInTotoPayload);
}

// The signatures of others over the same statement.
std::vector<manifests::DsseSignature> kept(const std::optional<std::string>& stored,
                                           const std::string& statement,
                                           const std::string& without) {
  if (!stored) return {};
  const auto envelopes = manifests::envelopes_in(*stored);
  if (!envelopes) return {};
  for (const std::string_view text : *envelopes) {
    auto envelope = manifests::parse_dsse_envelope(text);
    if (!envelope || envelope->payload_type != type() || envelope->payload != statement) continue;
    std::erase_if(envelope->signatures, [&](const auto& one) { return one.key_id == without; });
    return std::move(envelope->signatures);
  }
  return {};
}

Result<Declarations> read_declarations(const images::Store& store,
                                       const manifests::Release& release,
                                       const manifests::Lock& lock) {
  Declarations out;
  for (const auto& package : lock.packages) {
    for (const auto& layer : release.layers) {
      if (layer.name != package.name) continue;
      TRY_ASSIGN(const auto content, images::read_layer_content(store, layer));
      TRY_ASSIGN_IN(const images::FileTree tree, images::decode_cpio(content),
                    "layer " + layer.name);
      out[package.name] = declarations_of(tree, package.name);
    }
  }
  return out;
}

Status write_bill(images::Store& store, const std::string& bill) {
  const Digest digest = Digest::of(as_bytes(bill));
  TRY(store.write_blob(digest, as_bytes(bill)));
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_provenance(const images::Store& store,
                                                   const Digest& release) {
  TRY_ASSIGN(auto attached, store.attached(release, images::AttachmentKind::provenance));
  if (attached.found.empty()) return std::optional<std::string>();
  return std::optional(std::move(attached.found.front().bytes));
}

Result<Attestation> make_attestation(const manifests::Release& release,
                                     const Digest& release_digest, const manifests::Lock& lock,
                                     const Declarations& declared) {
  TRY_ASSIGN(const BillOfMaterials bill,
             bill_of_materials(release, release_digest, lock, declared));
  Attestation out{release_digest, print_spdx(bill), print_cyclonedx(bill), {}};
  out.statement = manifests::print(
      describe_provenance(release, lock, bill,
                          {{"sbom.spdx.json", Digest::of(as_bytes(out.spdx))},
                           {"sbom.cdx.json", Digest::of(as_bytes(out.cyclonedx))}}));
  return out;
}

Result<Attestation> make_attestation(const images::Store& store, const manifests::Release& release,
                                     const Digest& release_digest) {
  const std::string where = "release " + release.name.string();
  TRY_ASSIGN_IN(const ReleaseLock found, read_release_lock(store, release), where);
  TRY_ASSIGN_IN(const Declarations declared, read_declarations(store, release, found.lock), where);
  return make_attestation(release, release_digest, found.lock, declared);
}

Result<AttestOutcome> write_attestation(images::Store& store, const Attestation& attestation,
                                        const manifests::DsseSignature& signature, bool plan) {
  // Others' signatures are kept, also those that come meanwhile.
  if (!plan) TRY(store.keep_others_out());
  TRY_ASSIGN(const auto stored, read_provenance(store, attestation.release));
  manifests::DsseEnvelope envelope{type(), attestation.statement,
                                   kept(stored, attestation.statement, signature.key_id)};
  envelope.signatures.push_back(signature);
  std::sort(envelope.signatures.begin(), envelope.signatures.end(),
            [](const auto& a, const auto& b) { return a.key_id < b.key_id; });
  AttestOutcome out;
  for (const auto& one : envelope.signatures) out.signers.push_back(one.key_id);
  const std::string text = print(envelope);
  out.written = !stored || *stored != text;
  if (plan) return out;
  // What the statement names comes first.
  TRY(write_bill(store, attestation.spdx));
  TRY(write_bill(store, attestation.cyclonedx));
  TRY(store.sync_blobs());
  TRY(store.attach(attestation.release, images::AttachmentKind::provenance, {text}));
  return out;
}

Result<AttestOutcome> attest(images::Store& store, const Attestation& attestation,
                             const keys::Signer& signer, bool plan) {
  TRY_ASSIGN(const auto signature, keys::sign_payload(signer, type(), attestation.statement));
  return write_attestation(store, attestation, signature, plan);
}

Result<std::optional<keys::VerifiedProvenance>> verify_stored_provenance(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const keys::SignerDemand& trusted) {
  const std::string where = "release " + release->name.string();
  TRY_ASSIGN_IN(const auto text, read_provenance(store, release.digest()), where);
  if (!text) return std::optional<keys::VerifiedProvenance>();
  TRY_ASSIGN_IN(auto provenance, keys::verify_provenance(*text, release, trusted), where);
  for (const manifests::Artifact& bill : provenance->byproducts) {
    TRY_IN(store.read_document(bill.digest, kMaxBill), where + ": " + bill.name);
  }
  return std::optional(std::move(provenance));
}

}  // namespace weir::builder
