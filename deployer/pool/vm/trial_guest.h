#pragma once

#include <string>

namespace weir::pool {

/// A 64 KiB firmware that enters 64-bit mode with paging on and then ends QEMU through
/// isa-debug-exit at port 0xf4. Where KVM opens but cannot run guests (nested without support, a
/// refused MSR) it gets stuck or QEMU aborts, as it would with a kernel, only at once.
[[nodiscard]] std::string trial_firmware();

/// QEMU's exit status when the firmware got there: isa-debug-exit ends with (value << 1) | 1.
inline constexpr int kTrialExitStatus = (0x10 << 1) | 1;

}  // namespace weir::pool
