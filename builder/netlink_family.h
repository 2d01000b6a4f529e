#pragma once

#include <string_view>

#include "builder/kernel_module.h"
#include "manifests/digest.h"
#include "manifests/result.h"

namespace weir::builder {

/// Whether a module that registers the generic netlink family "wireguard" does so in the version
/// that the `wg` tool and the agent speak (linux/wireguard.h, WG_GENL_VERSION). Other modules pass.
///
/// unpacked  the module's own bytes
/// errors    integrity: another version, or none can be found
/// source    Linux, include/net/genetlink.h: in `struct genl_family` the version stands behind the
///           16 bytes of the name; drivers/net/wireguard/netlink.c keeps it in .data..ro_after_init
[[nodiscard]] Status check_wireguard_family(const KernelModule& module, Bytes unpacked);

}  // namespace weir::builder
