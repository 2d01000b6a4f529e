#include <algorithm>

#include "deployer/boot_check/timeline.h"
#include "deployer/boot_check/uapi.h"
#include "manifests/documents/boot_check_statement.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto statement = manifests::parse_boot_check_statement(text)) {
    // What is signed is one text for one meaning.
    MUST_HOLD(manifests::print(*statement) == text);
  }
  // What a node and wireguard-go say is theirs to choose too.
  std::vector<boot_check::ConsoleLine> console;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    console.push_back(
        {std::chrono::milliseconds(console.size()), std::string(rest.substr(0, end))});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto steps = boot_check::timeline_of({}, boot_check::read_console(console));
  MUST_HOLD(steps.size() >= 6);
  if (const auto peer = boot_check::parse_uapi_peer(text)) {
    MUST_HOLD(peer->last_handshake_unix_ns >= 0);
  }
  return 0;
}
