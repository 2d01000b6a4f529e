#include "images/cpio.h"
#include "images/deb.h"
#include "images/merged_usr.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const images::DebLimits limits{.entries = 1000,
                                 .file = ByteCount{1 << 20},
                                 .data = ByteCount{4 << 20},
                                 .control = ByteCount{1 << 20}};
  const auto deb =
      images::read_deb(Bytes(data, size), limits, [](const images::ImagePath&) { return true; });
  if (!deb) {
    MUST_HOLD(!deb.error().message.empty());
    return 0;
  }
  MUST_HOLD(deb->control.contains("control"));
  const auto tree = images::merge_usr(deb->files);
  if (!tree) return 0;
  for (const auto& [path, node] : tree->nodes()) {
    MUST_HOLD(!path.is_root() && path.string().front() != '/');
    MUST_HOLD(("/" + path.string() + "/").find("/../") == std::string::npos);
    const images::Node* parent = tree->find(path.parent());
    MUST_HOLD(path.parent().is_root() || (parent != nullptr && parent->is_folder()));
    for (const std::string_view folder : images::kMergedFolders) {
      MUST_HOLD(!path.is_within(folder));
    }
  }
  std::size_t written = 0;
  const Status encoded = images::encode_cpio(*tree, 1, [&](Bytes bytes) -> Status {
    written += bytes.size();
    return {};
  });
  MUST_HOLD(encoded.has_value() && written == images::cpio_size(*tree).value && written % 4 == 0);
  return 0;
}
