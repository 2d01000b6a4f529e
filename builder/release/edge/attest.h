#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/bill/bill_of_materials.h"
#include "images/store/store.h"
#include "keys/signing/envelope.h"
#include "keys/signing/minisign.h"
#include "keys/trust/provenance.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// Everything that stock tools can read about a release.
struct Attestation {
  Digest release;  ///< of the release document
  std::string spdx, cyclonedx;
  std::string statement;  ///< the in-toto statement, which names both by digest
};

/// release_digest   of the release document
/// declared         what the packages' layers say of them
/// errors           integrity: the lock is another release's
[[nodiscard]] Result<Attestation> make_attestation(const manifests::Release& release,
                                                   const Digest& release_digest,
                                                   const manifests::Lock& lock,
                                                   const Declarations& declared);

/// The same for a release whose lock and layers the store has. errors: not_found: it has not;
/// integrity
[[nodiscard]] Result<Attestation> make_attestation(const images::Store& store,
                                                   const manifests::Release& release,
                                                   const Digest& release_digest);

/// The envelope with a release's provenance, as stored and not yet checked; absent where there is
/// none. errors: io; exhausted: over 8 MiB
[[nodiscard]] Result<std::optional<std::string>> read_provenance(const images::Store& store,
                                                                 const Digest& release);

/// What became of it.
struct AttestOutcome {
  bool written = false;              ///< false: all was there already
  std::vector<std::string> signers;  ///< key ids in the envelope, not checked
};

/// Puts the SBOMs and the signed statement into the store. Signatures of others over the same
/// statement stay; those over another one go.
///
/// signature   over the statement
/// plan        writes nothing
/// errors      io, exhausted
[[nodiscard]] Result<AttestOutcome> write_attestation(images::Store& store,
                                                      const Attestation& attestation,
                                                      const manifests::DsseSignature& signature,
                                                      bool plan = false);

/// Signs the statement and stores it. errors: as above; the signer's own
[[nodiscard]] Result<AttestOutcome> attest(images::Store& store, const Attestation& attestation,
                                           const keys::Signer& signer, bool plan = false);

/// The provenance of a release, checked: signature, subject, and the SBOMs that it names.
/// returns  absent: there is none
/// errors   as keys::verify_provenance; integrity: a SBOM is damaged; not_found: one is missing
[[nodiscard]] Result<std::optional<keys::VerifiedProvenance>> verify_stored_provenance(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const keys::SignerDemand& trusted);

}  // namespace weir::builder
