#pragma once

#include <cstdint>
#include <string>

#include "manifests/base/digest.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"

namespace weir::probe {

struct Echo {
  IpAddress source;
  IpAddress target;  ///< of the same version as `source`
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
};

/// An IP packet with an ICMP or ICMPv6 echo request. errors: invalid_input: two IP versions
/// source: RFC 791, 792, 8200, 4443
[[nodiscard]] Result<std::string> echo_request(const Echo& echo);

/// Whether an inner packet (padding behind it allowed) is the answer to `echo`, checksum included.
[[nodiscard]] bool is_reply_to(const Echo& echo, Bytes packet);

}  // namespace weir::probe
