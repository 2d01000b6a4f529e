#include "manifests/documents/rebuild_statement.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto statement = manifests::parse_rebuild_statement(text);
  if (!statement) {
    MUST_HOLD(statement.error().code == Errc::invalid_input);
    return 0;
  }
  // What is signed is one text for one meaning.
  MUST_HOLD(manifests::print(*statement) == text);
  return 0;
}
