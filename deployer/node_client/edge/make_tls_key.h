#pragma once

#include <string>

#include "deployer/node_client/node_client.h"
#include "deployer/node_client/tls_key.h"
#include "manifests/base/result.h"

namespace weir::node_client {

/// A new key for one end of the node API. The caller wipes its text. errors: bug: OpenSSL refused
[[nodiscard]] Result<TlsKey> make_tls_key();

/// The key in a file that nobody else may read; nothing of its text stays in memory.
/// errors: as `read_secret_file` and `read_tls_key`, naming the file
[[nodiscard]] Result<TlsPrivateKey> read_tls_key_file(const std::string& path);

}  // namespace weir::node_client
