#include "builder/layers/edge/foreign_modules.h"

#include "builder/kernel/module_files.h"
#include "images/formats/cpio_reader.h"
#include "images/store/layer_content.h"

namespace weir::builder {

Result<std::vector<ForeignModule>> read_foreign_modules(const images::Store& store,
                                                        const LayerFacts& layer) {
  auto out = foreign_modules_in(layer.layer.name, layer.modules);
  if (out.empty()) return out;
  TRY_ASSIGN(const auto content, images::read_layer_content(store, layer.layer));
  TRY_ASSIGN_IN(const images::FileTree tree, images::decode_cpio(content),
                "layer " + layer.layer.name);
  for (ForeignModule& module : out) {
    const auto path = images::ImagePath::parse(module.path);
    const images::Node* node = path ? tree.find(*path) : nullptr;
    if (node == nullptr || node->file() == nullptr ||
        Digest::of(*node->file()->content) != module.digest) {
      return fail(Errc::integrity, "layer " + layer.layer.name + ": no /" + module.path +
                                       " as it was when the layer was made");
    }
    module.content = node->file()->content;
  }
  return out;
}

}  // namespace weir::builder
