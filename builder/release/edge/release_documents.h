#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "images/store/store.h"
#include "keys/trust/provenance.h"
#include "keys/trust/verified.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::builder {

inline constexpr std::string_view kSpdxFile = "sbom.spdx.json";
inline constexpr std::string_view kCycloneDxFile = "sbom.cdx.json";
inline constexpr std::string_view kProvenanceFile = "provenance.dsse.json";

/// What stock tools read about a release; it travels with every export.
struct ReleaseDocuments {
  std::string spdx, cyclonedx;
  std::optional<std::string> provenance;  ///< a DSSE envelope; absent: nobody trusted signed one
  std::vector<std::string> notes;         ///< keys::VerifiedProvenance::notes
};

/// Reads them from the store: the SBOMs that the signed provenance names, byte for byte. Where
/// there is no provenance, or only strangers signed it, the SBOMs are made from release and lock.
///
/// trusted  whose provenance counts
/// errors   integrity: a provenance that was changed or is about something else, a damaged SBOM;
///          not_found: the store has neither SBOMs nor the lock to make them from
[[nodiscard]] Result<ReleaseDocuments> read_release_documents(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const keys::SignerDemand& trusted);

}  // namespace weir::builder
