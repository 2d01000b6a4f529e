#include "manifests/documents/maintainer_script.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const manifests::ScriptOwner owner{"linux-image-6.1.0-56-cloud-amd64", "6.1.192-2"};
  const std::string once = manifests::normalize_script(text, owner);
  MUST_HOLD(once.find(owner.version) == std::string::npos);
  MUST_HOLD(manifests::normalize_script(once, {"", ""}) == once);
  return 0;
}
