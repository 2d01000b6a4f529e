#include "manifests/base/digest.h"
#include "manifests/documents/attachment.h"
#include "manifests/documents/fleet.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto fleet = manifests::parse_fleet(text);
  if (!fleet) {
    MUST_HOLD(!fleet.error().message.empty());
    return 0;
  }
  MUST_HOLD(fleet->pools.size() >= 2);
  MUST_HOLD(fleet->directors.size() == 1);
  const auto& fabric = fleet->directors.front().fabric;
  const auto links = manifests::attachments_of(*fleet);
  MUST_HOLD(links.has_value());
  for (const auto& link : *links) {
    MUST_HOLD(fabric.ipv4.contains(link.node_v4));
    MUST_HOLD(fabric.ipv6.contains(link.node_v6));
    MUST_HOLD(fabric.management.contains(link.node_management));
    MUST_HOLD(link.data_interface.size() <= 15);
  }
  return 0;
}
