#include "keys/trust/trust.h"
#include "tests/fuzz/property.h"

// One input is tried as each of the three documents of trust, and as a file to follow.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto trust = manifests::parse_trust(text)) {
    const std::string printed = manifests::print(*trust);
    const auto again = manifests::parse_trust(printed);
    MUST_HOLD(again.has_value() && *again == *trust && manifests::print(*again) == printed);
    for (const auto& [_, role] : trust->roles) {
      MUST_HOLD(role.threshold >= 1 && role.threshold <= role.keys.size());
      MUST_HOLD(!keys::count_signers(*trust, role, as_bytes(text), {}).has_value());
    }
  }
  if (const auto state = manifests::parse_trust_state(text)) {
    MUST_HOLD(*manifests::parse_trust_state(manifests::print(*state)) == *state);
  }
  if (const auto file = manifests::parse_trust_file(text)) {
    const std::string printed = manifests::print(*file);
    MUST_HOLD(*manifests::parse_trust_file(printed) == *file);
    if (const auto trust = keys::verify_trust(text, {}, UtcTime{0})) {
      MUST_HOLD((*trust)->version == file->versions.size());
      const auto state = keys::remember({}, *trust);
      MUST_HOLD(keys::verify_trust(printed, state, UtcTime{0}).has_value());
      MUST_HOLD(!keys::verify_trust(text, state, (*trust)->expires).has_value());
    }
  }
  return 0;
}
