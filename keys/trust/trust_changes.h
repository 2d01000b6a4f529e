#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifests/documents/trust.h"

namespace weir::keys {

/// What a version of the trust changes, a sentence each, for the person who is to sign it: roles,
/// thresholds, keys, channels, revocations, expiry. What is not said stays as it is. A key that is
/// new is told whole, as its .pub file has it, and by the SHA-256 digest of that line's bytes, in
/// groups of four digits: an id of 64 bits can be had by trying.
///
/// before   the version it follows; nullopt: `after` is the first, and all of it is new
/// returns  at least one sentence; names come from the documents, which nobody has verified
[[nodiscard]] std::vector<std::string> describe_changes(
    const std::optional<manifests::Trust>& before, const manifests::Trust& after);

}  // namespace weir::keys
