#pragma once

#include <vector>

#include "manifests/documents/lock.h"
#include "manifests/documents/reviewed_list.h"

/// What of reviewed lists goes into a lock.
namespace weir::builder {

/// The entries whose package is one of `packages`, in the same order.
[[nodiscard]] std::vector<manifests::AcceptedScript> scripts_of_packages(
    const std::vector<manifests::AcceptedScript>& scripts,
    const std::vector<manifests::LockedPackage>& packages);

/// The entries as a lock has them, which keeps what they make elsewhere (`system_accounts`).
[[nodiscard]] std::vector<manifests::AcceptedScript> without_accounts(
    std::vector<manifests::AcceptedScript> scripts);

/// By path; digests of several lists together.
[[nodiscard]] std::vector<manifests::AcceptedSecret> secrets_of_lists(
    const std::vector<manifests::ReviewedList>& lists);

}  // namespace weir::builder
