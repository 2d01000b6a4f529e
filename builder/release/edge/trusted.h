#pragma once

#include <string>
#include <vector>

#include "images/store/store.h"
#include "keys/trust/edge/trust_files.h"
#include "keys/trust/judge.h"
#include "manifests/base/result.h"

// A stored release, judged: keys judges what the store has about it, the store its blobs.
namespace weir::builder {

/// By whom and what a release is judged.
struct TrustBasis {
  keys::Believed believed;
  keys::TrustDemands demands{};
};

struct TrustedRelease {
  images::StoredRelease stored;  ///< the text that was verified
  keys::Verified<manifests::Release> release;
  keys::SignerDemand signers;  ///< whose signatures over other documents about it are believed
  std::vector<std::string> rebuilt_by, boot_checked_by;  ///< ids that were demanded and counted
  manifests::ReleaseEvidence evidence;                   ///< what it was judged on
  TrustBasis basis;
};

/// Checks a stored release: who signed it, what it says of itself, what others must have stated
/// about it, and every blob it names. Needs no network. The release is not remembered.
/// errors  not_found; unauthorized, with a sentence for a person; integrity
[[nodiscard]] Result<TrustedRelease> verify_stored(const images::Store& store,
                                                   const ReleaseName& name, TrustBasis basis);

/// Remembers that this release was accepted, once nothing else can refuse it any more. What others
/// have remembered meanwhile can. errors: as keys::remember_accepted
[[nodiscard]] Status remember_accepted(const TrustedRelease& accepted);

}  // namespace weir::builder
