#include <algorithm>

#include "images/formats/pe.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const auto made = images::add_pe_sections(Bytes(data, size), {{".added", as_bytes("content")}});
  if (!made) {
    MUST_HOLD(!made.error().message.empty());
    return 0;
  }
  constexpr std::string_view kContent = "content";
  MUST_HOLD(std::search(made->begin(), made->end(), kContent.begin(), kContent.end()) !=
            made->end());
  // What came out is a program again, and has the section.
  MUST_HOLD(!images::add_pe_sections(*made, {{".added", as_bytes("x")}}).has_value());
  MUST_HOLD(images::add_pe_sections(*made, {}).has_value());
  return 0;
}
