#pragma once

#include <string>
#include <vector>

#include "images/edge/store.h"
#include "keys/trust.h"
#include "manifests/result.h"

namespace weir::builder {

/// Checks a stored release by a trust file: who signed it, what it says of itself, and every blob
/// it names. Needs no network.
///
/// trust_path   trust.json
/// channel      which channel's releases are wanted
/// state_path   what was accepted before, written afterwards; empty: nothing is remembered
/// errors       not_found; unauthorized, with a sentence for a person; integrity
[[nodiscard]] Result<keys::Verified<manifests::Release>> verify_by_trust(
    const images::Store& store, const ReleaseName& name, const std::string& trust_path,
    const manifests::ChannelName& channel, const std::string& state_path);

/// Whose signatures over other documents about a channel's releases are believed: its release keys.
/// errors   as reading the trust
[[nodiscard]] Result<std::vector<keys::SigningPublicKey>> release_keys(
    const std::string& trust_path, const manifests::ChannelName& channel,
    const std::string& state_path);

}  // namespace weir::builder
