#include "deployer/rollout/journal.h"
#include "tests/fuzz/property.h"

// Records and plans of a rollout's journal: what decodes is canonical.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::deployer;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto record = decode_record(bytes)) MUST_HOLD(encode(*record) == bytes);
  if (const auto plan = decode_plan(bytes)) MUST_HOLD(encode(*plan) == bytes);
  return 0;
}
