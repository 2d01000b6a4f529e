#include "builder/layers/layer_facts.h"
#include "images/boot/oci.h"
#include "manifests/documents/release.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto release = manifests::parse_release(text)) {
    const std::string printed = manifests::print(*release);
    const auto again = manifests::parse_release(printed);
    MUST_HOLD(again.has_value() && *again == *release && manifests::print(*again) == printed);
    const manifests::Blob blob{Digest::of(as_bytes(printed)), ByteCount{printed.size()}};
    MUST_HOLD(!images::print_oci_manifest(*release, blob, blob).empty());
  }
  const manifests::Blob blob{Digest::of(as_bytes(text)), ByteCount{size}};
  if (const auto index = images::put_in_index(text, *ReleaseName::parse("name"), blob)) {
    MUST_HOLD(images::put_in_index(*index, *ReleaseName::parse("name"), blob) == *index);
  }
  if (const auto facts = builder::parse_layer_facts(text)) {
    MUST_HOLD(builder::parse_layer_facts(builder::print(*facts)).has_value());
  }
  return 0;
}
