#pragma once

#include <map>
#include <string>
#include <vector>

#include "builder/dkms/compiled_module.h"
#include "builder/kernel/module_files.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// The modules that are in no package of the image: from files, and compiled.
struct OwnModules {
  std::vector<NamedModule> modules;
  std::map<std::string, manifests::ModuleOrigin> origins;  ///< of those that were compiled, by name
  std::vector<std::string> uncompiled{};  ///< DKMS packages whose modules are not among them yet
  std::vector<std::string> doubts{};      ///< why what the cache has of some is not believed
};

/// Where compiled modules came from, written into a release's list.
void put_origins(const OwnModules& own, std::vector<manifests::ReleaseModule>& modules);

}  // namespace weir::builder
