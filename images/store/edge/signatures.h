#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/store/edge/store.h"

// Releases that several people sign, and releases that wait for a signature from elsewhere
// (docs/store.md).
namespace weir::images {

/// All signatures over a stored release, the one beside it first, then those at
/// `signatures/RELEASE_DIGEST/`, by file name. Not yet checked.
/// errors: io; exhausted: over 64, or one larger than 64 KiB
[[nodiscard]] Result<std::vector<std::string>> read_signatures(const Store& store,
                                                               const StoredRelease& release);

/// Adds a signature to a stored release, at `signatures/RELEASE_DIGEST/KEYID.minisig`.
///
/// release  digest of the release document
/// by       the signer's key id, 16 hex digits
/// errors   busy: that key's signature is there already; io, exhausted
[[nodiscard]] Status add_signature(const Store& store, const Digest& release, std::string_view by,
                                   std::string_view signature);

/// Keeps a release document that nobody has signed yet, at `unsigned/NAME/release.json`. It is not
/// a release of the store before `write_release` gets it together with a signature.
/// errors: io, exhausted
[[nodiscard]] Status write_unsigned(const Store& store, const ReleaseName& name,
                                    std::string_view json);
/// errors: not_found; io
[[nodiscard]] Result<std::string> read_unsigned(const Store& store, const ReleaseName& name);
/// The document that waits for its first signature, else the stored release's. errors: as above
[[nodiscard]] Result<std::string> unsigned_or_stored(const Store& store, const ReleaseName& name);
/// Forgets it; fine where there is none.
void remove_unsigned(const Store& store, const ReleaseName& name);

/// Ends what a killed `remove_unsigned` began; a document that waits stays.
void remove_empty_unsigned(const Store& store, const ReleaseName& name);

}  // namespace weir::images
