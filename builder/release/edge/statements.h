#pragma once

#include <optional>
#include <string>
#include <vector>

#include "images/store/edge/store.h"
#include "keys/trust/statements.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Signs a statement and puts it beside its release. returns  the document's path
[[nodiscard]] Result<std::string> write_signed_statement(const images::Store& store,
                                                         keys::StatementKind kind,
                                                         const ReleaseName& name,
                                                         const Digest& release, std::string json,
                                                         const keys::Signer& signer);

/// Holds the statements in the store to a demand; no demand: nobody. returns  ids of the keys that
/// stated it. errors: unauthorized, invalid_input, naming the release; io
[[nodiscard]] Result<std::vector<std::string>> require_stored_statements(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const std::optional<keys::StatementDemand>& demand);

}  // namespace weir::builder
