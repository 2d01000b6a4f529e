#pragma once

#include <string>

#include "images/store/store.h"
#include "keys/trust/statements.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Signs a statement and puts it beside its release. returns  the document's path
[[nodiscard]] Result<std::string> write_signed_statement(images::Store& store,
                                                         keys::StatementKind kind,
                                                         const ReleaseName& name,
                                                         const Digest& release, std::string json,
                                                         const keys::Signer& signer);

}  // namespace weir::builder
