#include "images/store/layer_content.h"

#include "images/formats/decompress.h"

namespace weir::images {

Result<std::vector<std::uint8_t>> read_layer_content(const Store& store,
                                                     const manifests::ReleaseLayer& layer) {
  const std::string where = "layer " + layer.name;
  std::vector<std::uint8_t> packed;
  TRY_IN(store.read_blob(layer.blob,
                         [&](Bytes bytes) -> Status {
                           packed.insert(packed.end(), bytes.begin(), bytes.end());
                           return {};
                         }),
         where);
  TRY_ASSIGN_IN(auto content, decompress_exactly(packed, layer.content_size), where);
  if (Digest::of(content) != layer.content_digest) {
    return fail(Errc::integrity, where + ": does not unpack to what the release states");
  }
  return content;
}

}  // namespace weir::images
