#pragma once

#include "images/store/store.h"
#include "manifests/base/result.h"
#include "manifests/documents/release_evidence.h"

namespace weir::images {

/// Gathers what a store has about a release, for a judge of trust: its document, all signatures,
/// all statements. Nothing of it is checked here.
/// errors: not_found: no such release; exhausted: too many documents; io
[[nodiscard]] Result<manifests::ReleaseEvidence> read_evidence(const Store& store,
                                                               const ReleaseName& name);

}  // namespace weir::images
