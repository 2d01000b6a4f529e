#pragma once

#include <set>

#include "deployer/orders/observed.h"
#include "deployer/site/documents.h"

namespace weir::deployer {

/// Whether nodes may be fed from `documents` without a person having said so. Held against what
/// nodes and state know, and, as long as a node runs that does not say whom it knows or none says
/// it, against the registry that was used before.
///
/// former   public keys of that registry; empty: there was none
/// errors   exhausted: more peers are missing than `policy.max_removed` lets go unasked; names the
///          peers document
[[nodiscard]] Status judge_registry(const Documents& documents, const Observed& observed,
                                    const std::set<PublicKey>& former);

}  // namespace weir::deployer
