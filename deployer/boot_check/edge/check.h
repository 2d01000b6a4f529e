#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "deployer/boot_check/edge/services.h"
#include "deployer/pool/edge/boot_image.h"
#include "manifests/base/result.h"
#include "manifests/documents/boot_check_statement.h"
#include "manifests/messages/service_settings.h"

namespace weir::boot_check {

struct CheckRequest {
  ReleaseName release;
  Digest release_digest;
  const pool::BootImage& image;
  ByteCount memory{512ULL << 20};
  std::chrono::milliseconds timeout{180000};  ///< from power-on until everything is up
  const std::vector<manifests::ServiceSettings>& services;  ///< of the image
  const NodeFiles& files;                                   ///< that services ask for
  int log = -1;  ///< descriptor that the node's log is written to, where it is one
};

/// Tells a person what is being done.
using Say = std::function<void(const std::string&)>;

/// Boots the image in QEMU, makes it a gateway over its node API as the deployer does, and has a
/// wireguard-go client complete a handshake with it and exchange data through it, over IPv4 and
/// IPv6; waits until all of its services are ready; then asks the image's own `wg`, where it has
/// one, whether it sees that peer. Inside `run_enclosed` only.
///
/// returns  what was seen; not yet compared with the release
/// errors   timeout, saying which step did not come, with the end of the node's console; integrity:
///          data changed on the way, the node's kernel saw no handshake, or its `wg` another
///          peer, or it does not tell of the image's services; io: a service does not come up, with
///          its last lines; busy: interrupted; not_found: no QEMU, no wireguard-go
[[nodiscard]] Result<manifests::BootCheckStatement> check(const CheckRequest& request,
                                                          const Say& say);

}  // namespace weir::boot_check
