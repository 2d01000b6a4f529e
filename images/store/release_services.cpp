#include "images/store/release_services.h"

#include <algorithm>
#include <utility>

#include "images/formats/cpio_reader.h"
#include "images/store/layer_content.h"

namespace weir::images {
namespace {

Result<std::vector<manifests::ServiceSettings>> services_in(Bytes archive) {
  TRY_ASSIGN(const FileTree tree, decode_cpio(archive));
  TRY_ASSIGN(const ImagePath place, ImagePath::parse(manifests::kServicesPath));
  const Node* list = tree.find(place);
  if (list == nullptr || list->file() == nullptr) return std::vector<manifests::ServiceSettings>();
  const auto& text = *list->file()->content;
  return manifests::parse_service_settings(
      {reinterpret_cast<const char*>(text.data()), text.size()});
}

}  // namespace

Result<std::vector<manifests::ServiceSettings>> read_services(const Store& store,
                                                              const manifests::Release& release) {
  const auto layer = std::find_if(
      release.layers.begin(), release.layers.end(),
      [](const manifests::ReleaseLayer& it) { return it.name == manifests::kServicesLayer; });
  if (layer == release.layers.end()) return std::vector<manifests::ServiceSettings>();
  TRY_ASSIGN(const auto content, read_layer_content(store, *layer));
  auto services = services_in(content);
  if (services) return services;
  return fail(Errc::integrity, "layer " + layer->name + ": services: " + services.error().message);
}

}  // namespace weir::images
