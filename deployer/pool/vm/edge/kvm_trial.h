#pragma once

#include <string>

#include "manifests/base/result.h"

namespace weir::pool {

/// Whether KVM really runs guests here, found by running one (trial_guest.h) exactly as a node
/// would run: same program, same user and groups, same processor. No /dev/kvm is a plain no.
/// errors: io: the trial itself could not be made
[[nodiscard]] Result<bool> kvm_runs_guests(const std::string& qemu);

}  // namespace weir::pool
