#include "manifests/documents/lock.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lock = manifests::parse_lock(text);
  if (!lock) {
    MUST_HOLD(!lock.error().message.empty());
    return 0;
  }
  const std::string printed = print(*lock);
  const auto again = manifests::parse_lock(printed);
  MUST_HOLD(again.has_value() && *again == *lock && print(*again) == printed);
  for (const auto& package : lock->packages) {
    MUST_HOLD(!package.path.starts_with('/') && package.path.find("/../") == std::string::npos);
  }
  return 0;
}
