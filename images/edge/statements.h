#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "images/edge/store.h"
#include "manifests/digest.h"
#include "manifests/result.h"

namespace weir::images {

/// What somebody signed about a release, byte for byte as stored and not yet checked.
struct StoredStatement {
  std::string json;
  std::string signature;  ///< .minisig text
};

/// Puts a signed statement beside a release: `statements/RELEASE_DIGEST/KIND-STATEMENT_DIGEST-BY`
/// with `.json` and `.json.minisig`. The same statement again changes nothing.
///
/// release  the release document's digest
/// kind     "rebuilt": a word of lower-case letters
/// by       the signer's key id, 16 hex digits
/// errors   io, exhausted
[[nodiscard]] Status write_statement(const Store& store, const Digest& release,
                                     std::string_view kind, std::string_view by,
                                     const StoredStatement& statement);

/// All statements of a kind, by file name; one whose signature is missing is left out.
/// errors: io; exhausted: more than 1000, or one larger than 64 KiB
[[nodiscard]] Result<std::vector<StoredStatement>> read_statements(const Store& store,
                                                                   const Digest& release,
                                                                   std::string_view kind);

}  // namespace weir::images
