#include "builder/release/own_modules.h"

namespace weir::builder {

void put_origins(const OwnModules& own, std::vector<manifests::ReleaseModule>& modules) {
  for (manifests::ReleaseModule& module : modules) {
    const auto found = own.origins.find(module.name);
    if (found != own.origins.end()) module.origin = found->second;
  }
}

}  // namespace weir::builder
