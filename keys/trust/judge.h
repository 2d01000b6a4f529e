#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "keys/signing/minisign.h"
#include "keys/trust/provenance.h"
#include "keys/trust/statements.h"
#include "keys/trust/trust.h"
#include "keys/trust/verified.h"
#include "manifests/documents/release_evidence.h"
#include "manifests/documents/trust_state.h"

// The one judge of trust, for all programs: what was found about a release, and who is believed,
// in; a verdict with its reasons out. Gathering evidence and keeping what was seen are others'
// work.
namespace weir::keys {

/// A trust file as it was read, and what of it is wanted.
struct TrustedFile {
  std::string path;  ///< for sentences
  std::string text;
  manifests::ChannelName channel;
  std::optional<Digest> pin{};  ///< of the document of its version 1
};
/// Who is believed: the owners of some keys, or whom a trust file names.
using Authority = std::variant<std::vector<SigningPublicKey>, TrustedFile>;

/// What is demanded beside signatures. Nothing of it is asked of releases in use.
struct TrustDemands {
  bool roles = true;  ///< statements of the trust's boot-check and rebuild roles
  std::vector<StatementDemand> statements{};  ///< on top of those
  bool own_key_search = false;                ///< docs/release.md
};

/// What the judge knows beside the evidence.
struct Circumstances {
  UtcTime now;
  manifests::TrustState seen{};  ///< what this verifier accepted before
  std::set<Digest> running{};    ///< releases in use: going back to them needs nobody's signature
};

/// What a refusal is about.
enum class Ground : std::uint8_t {
  trust,       ///< the trust file is not to be believed
  signatures,  ///< too few who count signed, or it is no release, or not of this channel
  place,       ///< the document is another release's
  terms,       ///< expiry or version: it would be accepted if it were in use
  statements,  ///< what others must have stated
  own_keys,    ///< its builder did not search it for the fleet's keys
};

struct Reason {
  Ground ground;
  Error error;
};

/// What the judge found. Only `judge` makes one.
class Verdict {
 public:
  /// The trust that was verified: also where the release is refused. Absent: keys were named, or
  /// the trust is refused.
  [[nodiscard]] const std::optional<Verified<manifests::Trust>>& trust() const { return trust_; }
  /// Whose signatures over other documents about the release are believed.
  [[nodiscard]] const SignerDemand& signers() const { return signers_; }
  /// Ids of those who stated it, of the demanded kinds.
  [[nodiscard]] const std::map<StatementKind, std::vector<std::string>>& stated_by() const {
    return stated_by_;
  }
  /// Why it is refused, the gravest first; empty: it is accepted. Where signatures do not count,
  /// nothing that the document says is looked at.
  [[nodiscard]] const std::vector<Reason>& reasons() const { return reasons_; }
  /// The release, where nothing speaks against it; else the reasons as one error.
  [[nodiscard]] Result<Verified<manifests::Release>> release() const;

 private:
  friend Verdict judge(const manifests::ReleaseEvidence&, const Authority&, const TrustDemands&,
                       const Circumstances&);
  std::optional<Verified<manifests::Trust>> trust_;
  std::optional<Verified<manifests::Release>> release_;
  SignerDemand signers_;
  std::map<StatementKind, std::vector<std::string>> stated_by_;
  std::vector<Reason> reasons_;
};

/// Judges a release. Pure: signatures, channel, expiry, version, statements and place, by what was
/// found and what was seen; blobs are the store's to check.
[[nodiscard]] Verdict judge(const manifests::ReleaseEvidence& evidence, const Authority& authority,
                            const TrustDemands& demands, const Circumstances& circumstances);

/// The same for a trust file alone: as verify_trust, naming the file.
[[nodiscard]] Result<Verified<manifests::Trust>> judge_trust(const TrustedFile& file,
                                                             const manifests::TrustState& seen,
                                                             UtcTime now);

}  // namespace weir::keys
