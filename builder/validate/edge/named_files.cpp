#include "builder/validate/edge/named_files.h"

#include <unistd.h>

#include "keys/identity/edge/identity_check.h"
#include "keys/identity/edge/registry.h"
#include "manifests/base/paths.h"
#include "manifests/documents/fleet.h"

namespace weir::builder {

Status check_named_files(const std::string& kind, const std::string& text,
                         const std::string& file) {
  if (kind == "peer") {
    TRY(keys::read_peers(file));
    return {};
  }
  if (kind != "fleet") return {};
  TRY_ASSIGN(const manifests::Fleet fleet, manifests::parse_fleet(text, file));
  const std::string folder = folder_of(file);
  const auto is_there = [&folder](const std::string& path) {
    return ::access(path_at(folder, path).c_str(), F_OK) == 0;
  };
  if (is_there(fleet.peers)) TRY(keys::read_registry(fleet, folder));
  if (is_there(fleet.identity) || is_there(fleet.store)) {
    TRY_IN(keys::check_identity(fleet, folder), file);
  }
  return {};
}

}  // namespace weir::builder
