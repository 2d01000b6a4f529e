#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/net.h"
#include "manifests/base/result.h"
#include "manifests/documents/fleet.h"

namespace weir::manifests {

/// Numbers of nodes go up to this: each has two routing rules at a director.
inline constexpr std::uint32_t kHighestNumber = 900;

/// How one node is attached to one director. Everything follows from the fleet document and the
/// node's place in it.
struct Attachment {
  DirectorId director;
  NodeId node;
  PoolName pool;
  /// 1, 2, ... over all pools in document order, at every director the same: its fwmark and routing
  /// table there.
  std::uint32_t number = 0;
  std::string data_interface;        ///< the director's end of the data link, "weir-d1"
  std::string management_interface;  ///< the director's end of the management link, "weir-m1"
  IpAddress director_v4, node_v4;    ///< a /31
  IpAddress director_v6, node_v6;    ///< a /127
  IpAddress director_management, node_management;  ///< a /31, IPv4
};

/// Every node at every director, director after director. Node `number` has the pair of addresses
/// at 2 * number in each block of the director's fabric, the director's first. errors: exhausted,
/// where a fabric block is too small for the nodes
[[nodiscard]] Result<std::vector<Attachment>> attachments_of(const Fleet& fleet);

/// Whether an interface of this name could be one of a node's links, whatever its number.
[[nodiscard]] bool is_attachment_name(std::string_view name);

}  // namespace weir::manifests
