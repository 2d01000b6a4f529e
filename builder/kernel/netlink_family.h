#pragma once

#include <string_view>

#include "builder/kernel/kernel_module.h"
#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Whether a module that registers the generic netlink family "wireguard" does so in the version
/// that the `wg` tool and the agent speak (linux/wireguard.h, WG_GENL_VERSION). Other modules pass.
///
/// unpacked  the module's own bytes
/// errors    integrity: another version, or none can be found
/// source    Linux, include/net/genetlink.h: in `struct genl_family` the version stands behind the
///           16 bytes of the name; drivers/net/wireguard/netlink.c keeps it in .data..ro_after_init
[[nodiscard]] Status check_wireguard_family(const KernelModule& module, Bytes unpacked);

/// Whether the `wg` tool in a tree, if there is one (usr/bin/wg, ELF), asks for the netlink family
/// "wireguard": the name stands in it as a text of its own, as it goes into CTRL_CMD_GETFAMILY.
/// The version is a number in its code, which nothing names; all of wireguard-tools so far send 1.
///
/// errors    integrity: it is not there
/// source    wireguard-tools, src/ipc-linux.h: mnlg_socket_open(WG_GENL_NAME, WG_GENL_VERSION)
[[nodiscard]] Status check_wireguard_tool(const images::FileTree& tree);

}  // namespace weir::builder
