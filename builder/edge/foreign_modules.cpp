#include "builder/edge/foreign_modules.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "builder/edge/layer_content.h"
#include "builder/kernel_binding.h"
#include "images/cpio_reader.h"

namespace weir::builder {
namespace {

bool has_modules(const LayerFacts& layer) {
  return std::any_of(layer.entries.begin(), layer.entries.end(), [](const auto& entry) {
    return entry.second.kind == EntryKind::file && !module_name_of(entry.first).empty();
  });
}

Status add_modules(const images::Store& store, const LayerFacts& layer,
                   std::vector<ImageModule>& out) {
  TRY_ASSIGN(const auto content, read_layer_content(store, layer.layer));
  TRY_ASSIGN(const images::FileTree tree, images::decode_cpio(content));
  for (const auto& [path, node] : tree.nodes()) {
    if (node.file() == nullptr || module_name_of(path.string()).empty()) continue;
    const std::string place = "/" + path.string();
    TRY_ASSIGN_IN(images::Content unpacked, unpack_kernel_module(node.file()->content), place);
    TRY_ASSIGN_IN(KernelModule facts, parse_kernel_module(*unpacked), place);
    out.push_back({path.string(), std::move(facts), std::move(unpacked)});
  }
  return {};
}

Result<KernelImage> read_kernel(const images::Store& store, const manifests::Blob& blob) {
  std::vector<std::uint8_t> bytes;
  TRY(store.read_blob(blob, [&](Bytes piece) -> Status {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return {};
  }));
  return parse_kernel_image(bytes);
}

Status check_names(const std::vector<ImageModule>& modules) {
  std::map<std::string, std::string> seen;
  for (const ImageModule& module : modules) {
    const auto [at, fresh] = seen.emplace(module.facts.name, module.path);
    if (fresh) continue;
    return fail(Errc::integrity, "module " + module.facts.name + " is in the image twice, as /" +
                                     at->second + " and /" + module.path +
                                     ": leave one of them out");
  }
  return {};
}

}  // namespace

Status check_foreign_modules(const images::Store& store, const std::vector<LayerFacts>& layers) {
  const LayerFacts* own = nullptr;
  std::vector<const LayerFacts*> foreign;
  for (const LayerFacts& layer : layers) {
    if (layer.kernel) {
      own = &layer;
    } else if (has_modules(layer)) {
      foreign.push_back(&layer);
    }
  }
  if (own == nullptr || foreign.empty()) return {};
  std::vector<ImageModule> modules;
  TRY(add_modules(store, *own, modules));
  for (const LayerFacts* layer : foreign) {
    TRY_IN(add_modules(store, *layer, modules), "layer " + layer->layer.name);
  }
  TRY_ASSIGN(const KernelImage kernel, read_kernel(store, own->kernel->kernel.image));
  TRY_ASSIGN(const KernelBinding binding, read_kernel_binding(kernel));
  TRY(check_binding(kernel, binding, modules));
  return check_names(modules);
}

}  // namespace weir::builder
