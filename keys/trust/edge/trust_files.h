#pragma once

#include <functional>
#include <string>

#include "keys/trust/trust.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// The machine's clock. errors: unauthorized: it stands before 2020, so nothing could be said about
/// expiry
[[nodiscard]] Result<UtcTime> read_clock();

/// Reads a state file; one that is not there is empty. errors: io, invalid_input; naming the file
[[nodiscard]] Result<manifests::TrustState> read_trust_state(const std::string& path);

/// What a verifier makes of what was seen: what will have been seen, or a refusal.
using JudgeBySeen = std::function<Result<manifests::TrustState>(manifests::TrustState seen)>;

/// Reads a state file, judges by it and writes what comes of that, whole or not at all (mode 0600).
/// Whoever does the same to the file meanwhile waits, so that the older of two versions that are
/// accepted at once never takes the newer one's place. The lock is PATH.lock, which stays.
///
/// judge   may read files; where it refuses, the state stays as it is
/// errors  as `judge`; io, exhausted, invalid_input; naming the file
[[nodiscard]] Status update_trust_state(const std::string& path, const JudgeBySeen& judge);

/// Reads and verifies a trust file. errors: as verify_trust, naming the file
[[nodiscard]] Result<Verified<manifests::Trust>> read_trust(const std::string& path,
                                                            const manifests::TrustState& seen,
                                                            UtcTime now);

}  // namespace weir::keys
