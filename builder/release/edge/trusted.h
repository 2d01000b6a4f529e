#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "images/store/edge/store.h"
#include "keys/signing/envelope.h"
#include "keys/trust/trust.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Whether the trust's `rebuild` and `boot-check` roles must have stated something about the
/// release: not while somebody is about to.
enum class Demands : std::uint8_t { kept, waived };

/// What a release was judged by, as it was read, to judge it again by what others have remembered
/// meanwhile.
struct TrustEvidence {
  std::string trust_path, trust_file;  ///< the file's text
  std::vector<std::string> signatures;
  manifests::ChannelName channel;
  UtcTime now;
};

struct TrustedRelease {
  images::StoredRelease stored;  ///< the text that was verified
  keys::Verified<manifests::Release> release;
  keys::SignerDemand signers;  ///< whose signatures over other documents about it are believed
  std::optional<TrustEvidence> evidence{};  ///< absent: keys were named in place of a trust
  std::vector<std::string> rebuilt_by{}, boot_checked_by{};  ///< ids that were demanded and counted
};

/// Checks a stored release by a trust file: who signed it, what it says of itself, every blob it
/// names, and what others must have stated about it. Needs no network, and writes nothing.
///
/// trust_path   trust.json
/// channel      which channel's releases are wanted
/// state_path   what was accepted before; empty: nothing was
/// errors       not_found; unauthorized, with a sentence for a person; integrity
[[nodiscard]] Result<TrustedRelease> verify_by_trust(
    const images::Store& store, const ReleaseName& name, const std::string& trust_path,
    const manifests::ChannelName& channel, const std::string& state_path, Demands demands);

/// Writes into the state file that this release was accepted, once nothing else can refuse it any
/// more. What others have written there meanwhile can: it is judged again by that. Nothing is done
/// where keys were named instead of a trust, or `state_path` is empty. errors: unauthorized, io,
/// exhausted, invalid_input
[[nodiscard]] Status remember_accepted(const std::string& state_path,
                                       const TrustedRelease& accepted);

}  // namespace weir::builder
