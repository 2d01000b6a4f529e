#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/store/edge/store.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/signed_text.h"

namespace weir::images {

/// Puts a signed statement beside a release: `statements/RELEASE_DIGEST/KIND-STATEMENT_DIGEST-BY`
/// with `.json` and `.json.minisig`. The same statement again changes nothing.
///
/// release  the release document's digest
/// kind     "rebuilt", "booted": a word of lower-case letters
/// by       the signer's key id, 16 hex digits
/// returns  the document's path
/// errors   io, exhausted
[[nodiscard]] Result<std::string> write_statement(const Store& store, const Digest& release,
                                                  std::string_view kind, std::string_view by,
                                                  const manifests::SignedText& statement);

/// All statements of a kind, by file name; one whose signature is missing is left out.
/// errors: io; exhausted: more than 1000, or one larger than 64 KiB
[[nodiscard]] Result<std::vector<manifests::SignedText>> read_statements(const Store& store,
                                                                         const Digest& release,
                                                                         std::string_view kind);

}  // namespace weir::images
