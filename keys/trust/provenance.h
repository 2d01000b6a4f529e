#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/signing/minisign.h"
#include "keys/trust/verified.h"
#include "manifests/base/result.h"
#include "manifests/documents/provenance.h"
#include "manifests/documents/trust.h"

/// How a release came to be, checked against who is believed (docs/provenance.md).
namespace weir::keys {

/// Whose signatures are believed, and how many of them it takes.
struct SignerDemand {
  std::vector<SigningPublicKey> keys;
  std::size_t threshold = 1;
};

/// The release keys of a channel, with their threshold, as a trust has them.
/// errors: invalid_input: a key that cannot be read
[[nodiscard]] Result<SignerDemand> release_signers(const manifests::Trust& trust,
                                                   const manifests::ChannelName& channel);

/// A release's provenance whose signature was checked; only `verify_provenance` makes one.
class VerifiedProvenance {
 public:
  [[nodiscard]] const manifests::Provenance& operator*() const { return value_; }
  [[nodiscard]] const manifests::Provenance* operator->() const { return &value_; }
  [[nodiscard]] const std::string& signers() const { return signers_; }      ///< ids, with ", "
  [[nodiscard]] const std::string& statement() const { return statement_; }  ///< as signed
  [[nodiscard]] const std::string& envelope() const { return envelope_; }    ///< that it is in
  /// What was beside it and could not be read, a sentence each.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  friend Result<VerifiedProvenance> verify_envelope(std::string_view,
                                                    const Verified<manifests::Release>&,
                                                    const SignerDemand&);
  friend Result<VerifiedProvenance> verify_provenance(std::string_view,
                                                      const Verified<manifests::Release>&,
                                                      const SignerDemand&);
  VerifiedProvenance(manifests::Provenance value, std::string signers, std::string statement,
                     std::string envelope)
      : value_(std::move(value)),
        signers_(std::move(signers)),
        statement_(std::move(statement)),
        envelope_(std::move(envelope)) {}
  manifests::Provenance value_;
  std::string signers_, statement_, envelope_;
  std::vector<std::string> notes_;
};

/// Checks an envelope, or several, one a line: signed by as many distinct keys as `trusted` takes,
/// an in-toto statement with a provenance, and about exactly what the release ships. Beside one
/// that is, those that cannot be read or that others signed do no harm.
///
/// text     envelopes (manifests::envelopes_in)
/// errors   unauthorized: too few trusted keys signed it; integrity: it is about something else, or
///          no longer what a trusted key signed; invalid_input, exhausted: malformed
[[nodiscard]] Result<VerifiedProvenance> verify_provenance(
    std::string_view text, const Verified<manifests::Release>& release,
    const SignerDemand& trusted);

}  // namespace weir::keys
