#include "manifests/documents/image_manifest.h"
#include "manifests/documents/reviewed_list.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto list = manifests::parse_reviewed_list(text)) {
    const auto same = manifests::parse_reviewed_list(print(*list));
    MUST_HOLD(same.has_value() && *same == *list);
  }
  const auto manifest = manifests::parse_image_manifest(text);
  if (!manifest) {
    MUST_HOLD(!manifest.error().message.empty());
    return 0;
  }
  const auto again = manifests::parse_image_manifest(print(*manifest));
  MUST_HOLD(again.has_value() && *again == *manifest);
  MUST_HOLD(manifests::matches(manifest->kernel.package, manifest->kernel.package));
  return 0;
}
