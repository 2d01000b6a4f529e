#pragma once

#include <string>

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

}  // namespace weir::builder
