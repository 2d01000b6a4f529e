#pragma once

#include <string>

#include "deployer/pool/vm/qemu_arguments.h"
#include "manifests/base/result.h"

namespace weir::pool {

/// Whether KVM really runs guests here, found by running one (trial_guest.h) exactly as a node
/// would run: same program, same user and groups, same processor. No /dev/kvm is a plain no.
/// Only x86-64 is tried; elsewhere the answer is no.
/// errors: io: the trial itself could not be made
[[nodiscard]] Result<bool> kvm_runs_guests(const QemuSystem& system, const std::string& qemu);

}  // namespace weir::pool
