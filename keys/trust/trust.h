#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "keys/signing/minisign.h"
#include "keys/trust/verified.h"
#include "manifests/documents/trust.h"
#include "manifests/documents/trust_state.h"

// Who signed, and whether that is enough. Modelled on The Update Framework's root role (TUF
// specification 1.0, sections 5.3 and 6.1). Format: docs/trust.md.
namespace weir::keys {

/// Counts who of `role` signed. A person counts once, whatever they call their key.
///
/// trust       signatures count by its keys
/// role        key ids and threshold, from `trust`
/// message     the raw bytes that were signed
/// signatures  texts of .minisig files, of any keys: unknown, revoked, wrong and malformed ones do
///             not count
/// other       a version before or after, if there is one: it may know the name of a key that
///             `trust` does not
/// returns     ids of the keys that counted, sorted; at least `role.threshold`
/// errors      unauthorized: too few, saying what is wrong with each that did not count, or two
///             signatures claim the same key; exhausted: over 64
[[nodiscard]] Result<std::vector<std::string>> count_signers(
    const manifests::Trust& trust, const manifests::TrustRole& role, Bytes message,
    const std::vector<std::string>& signatures, const manifests::Trust* other = nullptr);

/// What the newest version of a trust file lacks: how many signatures of whom. Empty: no more.
/// errors  as verify_trust; those of older versions are not looked at
[[nodiscard]] Result<std::string> missing_signatures(const manifests::TrustFile& file);

/// Follows a trust file from its first version to its newest: each is signed by the threshold of
/// the one before and by its own, numbered one higher, and forgets no revocation.
///
/// seen    what this verifier accepted before: the file must contain exactly that version and may
///         only go on from there
/// now     the newest version must not have expired; older ones may
/// pin     digest of the document of version 1, from people who made it
/// errors  unauthorized: signatures, rollback, expiry or another fleet's trust; as the parsers
[[nodiscard]] Result<Verified<manifests::Trust>> verify_trust(
    std::string_view file, const manifests::TrustState& seen, UtcTime now,
    const std::optional<Digest>& pin = std::nullopt);

/// What is asked of a release beside its signatures.
struct ReleaseQuestion {
  manifests::ChannelName channel;     ///< the release must be of this channel
  const manifests::TrustState& seen;  ///< no older version than there, and no other of the same
  UtcTime now;                        ///< it must not have expired
  std::set<Digest> running{};         ///< releases in use: for them age and expiry do not matter
};

/// Checks a release: its type, signatures by the channel's threshold, channel, expiry and version.
/// errors  unauthorized, with a sentence for a person; invalid_input, exhausted: malformed
[[nodiscard]] Result<Verified<manifests::Release>> verify_release(
    std::string_view json, const std::vector<std::string>& signatures,
    const Verified<manifests::Trust>& trust, const ReleaseQuestion& question);

/// What `seen` becomes once a trust, and a release by it, were accepted. A release that is older
/// than the newest (one that runs already) changes nothing.
[[nodiscard]] manifests::TrustState remember(manifests::TrustState seen,
                                             const Verified<manifests::Trust>& trust);
[[nodiscard]] manifests::TrustState remember(manifests::TrustState seen,
                                             const Verified<manifests::Trust>& trust,
                                             const Verified<manifests::Release>& release);

}  // namespace weir::keys
