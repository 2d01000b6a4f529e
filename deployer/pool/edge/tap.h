#pragma once

#include <string>

#include "deployer/network/edge/network_namespace.h"

namespace weir::pool {

/// Makes a tap interface in a namespace and returns its packet end, with virtio-net headers
/// (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR). The interface goes when the last descriptor closes.
///
/// errors  invalid_input: longer than 15 characters; busy: such an interface is there and in use;
///         unauthorized; io
/// source  linux/if_tun.h, Documentation/networking/tuntap.rst
[[nodiscard]] Result<Fd> make_tap(const network::NetworkNamespace& where, const std::string& name);

}  // namespace weir::pool
