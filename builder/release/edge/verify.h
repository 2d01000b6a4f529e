#pragma once

#include <string>

#include "images/store/edge/store.h"
#include "keys/signing/minisign.h"
#include "keys/trust/verified.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Checks a stored release: its signature, then every blob it names by digest and size.
/// errors: not_found; unauthorized: no trusted key signed it, or it expired; integrity, naming
/// kernel or layer
[[nodiscard]] Result<keys::Verified<manifests::Release>> verify_stored(
    const images::Store& store, const images::StoredRelease& stored,
    const std::vector<keys::SigningPublicKey>& trusted);

/// The part of it that follows the signature: the document is about `name`, and every blob it names
/// is in the store, whole. errors: integrity
[[nodiscard]] Status check_stored(const images::Store& store, const ReleaseName& name,
                                  const manifests::Release& release);

}  // namespace weir::builder
