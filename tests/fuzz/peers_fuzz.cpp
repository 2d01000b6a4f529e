#include "manifests/documents/peers.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto peers = manifests::parse_peers(text);
  if (!peers) {
    MUST_HOLD(!peers.error().message.empty());
    return 0;
  }
  std::string printed;
  for (const auto& peer : *peers) printed += print(peer) + "\n";
  const auto again = manifests::parse_peers(printed);
  MUST_HOLD(again.has_value() && *again == *peers);
  return 0;
}
