#pragma once

#include <string>

#include "keys/trust.h"
#include "manifests/result.h"

namespace weir::keys {

/// The machine's clock. errors: unauthorized: it stands before 2020, so nothing could be said about
/// expiry
[[nodiscard]] Result<UtcTime> read_clock();

/// Reads a state file; one that is not there is empty. errors: io, invalid_input; naming the file
[[nodiscard]] Result<manifests::TrustState> read_trust_state(const std::string& path);

/// Writes a state file, whole or not at all (mode 0600). errors: io, exhausted
[[nodiscard]] Status write_trust_state(const std::string& path, const manifests::TrustState& state);

/// Reads and verifies a trust file. errors: as verify_trust, naming the file
[[nodiscard]] Result<Verified<manifests::Trust>> read_trust(const std::string& path,
                                                            const manifests::TrustState& seen,
                                                            UtcTime now);

}  // namespace weir::keys
