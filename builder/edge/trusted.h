#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "images/edge/store.h"
#include "keys/trust.h"
#include "manifests/result.h"

namespace weir::builder {

/// Whether the trust's `rebuild` and `boot-check` roles must have stated something about the
/// release: not while somebody is about to.
enum class Demands : std::uint8_t { kept, waived };

struct TrustedRelease {
  keys::Verified<manifests::Release> release;
  std::vector<std::string> rebuilt_by, boot_checked_by;  ///< key ids that were demanded and counted
};

/// Checks a stored release by a trust file: who signed it, what it says of itself, every blob it
/// names, and what others must have stated about it. Needs no network.
///
/// trust_path   trust.json
/// channel      which channel's releases are wanted
/// state_path   what was accepted before, written afterwards; empty: nothing is remembered
/// errors       not_found; unauthorized, with a sentence for a person; integrity
[[nodiscard]] Result<TrustedRelease> verify_by_trust(
    const images::Store& store, const ReleaseName& name, const std::string& trust_path,
    const manifests::ChannelName& channel, const std::string& state_path, Demands demands);

/// Whose signatures over other documents about a channel's releases are believed: its release keys.
/// errors   as reading the trust
[[nodiscard]] Result<std::vector<keys::SigningPublicKey>> release_keys(
    const std::string& trust_path, const manifests::ChannelName& channel,
    const std::string& state_path);

}  // namespace weir::builder
