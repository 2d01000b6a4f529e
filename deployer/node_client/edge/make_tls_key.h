#pragma once

#include "deployer/node_client/node_client.h"
#include "manifests/base/result.h"

namespace weir::node_client {

/// A new key for one end of the node API. errors: bug: OpenSSL refused
[[nodiscard]] Result<TlsKey> make_tls_key();

}  // namespace weir::node_client
