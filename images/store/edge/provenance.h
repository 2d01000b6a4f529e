#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "images/store/edge/store.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// Puts the envelope with a release's provenance beside it, at
/// `attestations/RELEASE_DIGEST/provenance.intoto.jsonl`. Nothing is written where it is there
/// already, byte for byte.
///
/// release  digest of the release document
/// returns  whether it was written
/// errors   io, exhausted
[[nodiscard]] Result<bool> write_provenance(const Store& store, const Digest& release,
                                            std::string_view envelope);

/// As stored, and not yet checked; absent where there is none. errors: io; exhausted: over 8 MiB
[[nodiscard]] Result<std::optional<std::string>> read_provenance(const Store& store,
                                                                 const Digest& release);

}  // namespace weir::images
