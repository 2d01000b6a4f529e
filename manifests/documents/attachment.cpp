#include "manifests/documents/attachment.h"

namespace weir::manifests {
namespace {

constexpr std::string_view kDataLink = "weir-d", kManagementLink = "weir-m";

Status check_room(const Prefix& block, std::uint32_t nodes) {
  const unsigned free_bits = (block.address.is_v4() ? 32U : 128U) - block.length;
  if (free_bits >= 32 || 2ULL * nodes + 1 < 1ULL << free_bits) return {};
  return fail(Errc::exhausted, block.string() + " is too small for " + std::to_string(nodes) +
                                   " nodes: it needs " + std::to_string(2 * nodes + 2) +
                                   " addresses");
}

}  // namespace

Result<std::vector<Attachment>> attachments_of(const Fleet& fleet) {
  std::uint32_t count = 0;
  for (const PoolSpec& pool : fleet.pools) count += static_cast<std::uint32_t>(pool.nodes.size());
  std::vector<Attachment> out;
  for (const DirectorSpec& director : fleet.directors) {
    const Fabric& fabric = director.fabric;
    for (const Prefix& prefix : {fabric.ipv4, fabric.ipv6, fabric.management}) {
      TRY(check_room(prefix, count));
    }
    std::uint32_t number = 0;
    for (const PoolSpec& pool : fleet.pools) {
      for (const NodeId& node : pool.nodes) {
        ++number;
        const auto pair = [&](const Prefix& prefix, std::uint32_t end) {
          return prefix.address.plus(2 * number + end);
        };
        out.push_back(
            {.director = director.name,
             .node = node,
             .pool = pool.name,
             .number = number,
             .data_interface = std::string(kDataLink) + std::to_string(number),
             .management_interface = std::string(kManagementLink) + std::to_string(number),
             .director_v4 = pair(fabric.ipv4, 0),
             .node_v4 = pair(fabric.ipv4, 1),
             .director_v6 = pair(fabric.ipv6, 0),
             .node_v6 = pair(fabric.ipv6, 1),
             .director_management = pair(fabric.management, 0),
             .node_management = pair(fabric.management, 1)});
      }
    }
  }
  return out;
}

bool is_attachment_name(std::string_view name) {
  for (const std::string_view stem : {kDataLink, kManagementLink}) {
    if (!name.starts_with(stem)) continue;
    const std::string_view number = name.substr(stem.size());
    return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos;
  }
  return false;
}

}  // namespace weir::manifests
