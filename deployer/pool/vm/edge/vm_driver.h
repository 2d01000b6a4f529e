#pragma once

#include <memory>

#include "deployer/network/edge/network_namespace.h"
#include "deployer/pool/machines.h"

namespace weir::pool {

/// Machines under QEMU with their taps in `where`, which outlives the driver. KVM where a guest
/// really runs (tried once, before the first start), else software emulation.
[[nodiscard]] std::unique_ptr<MachineDriver> make_vm_driver(const network::NetworkNamespace& where);

}  // namespace weir::pool
