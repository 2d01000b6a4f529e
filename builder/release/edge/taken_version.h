#pragma once

#include <optional>

#include "builder/release/build_input.h"
#include "images/store/store.h"
#include "keys/signing/minisign.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// A version says one thing: whoever saw a release of this name, channel and version takes no other
/// document for it. So no other is signed over it by accident. And whoever trusts who signed it
/// would refuse the same document with another's signature in that one's place.
///
/// store     may hold a release of this name; one that cannot be read, or states no version, is no
///           obstacle
/// document  of `release`, as it would be signed
/// signer    absent: it is not signed yet
/// errors    busy: the store has a release of the same name, channel and version with other bytes,
///           or these bytes, signed by another key
[[nodiscard]] Status check_version_is_free(const images::Store& store,
                                           const manifests::Release& release,
                                           const Digest& document,
                                           const std::optional<keys::KeyId>& signer);

/// The same before anything is built: what it refuses, the other one would refuse as well.
/// errors: as above
[[nodiscard]] Status check_version_is_free(const images::Store& store, const BuildInput& input,
                                           const std::optional<keys::KeyId>& signer);

/// Who has signed in the store what would be built, as far as that can be known before it is; none:
/// it is not there.
[[nodiscard]] std::optional<keys::KeyId> signer_in(const images::Store& store,
                                                   const BuildInput& input);

}  // namespace weir::builder
