#include "builder/validate/edge/named_files.h"

#include <unistd.h>

#include "keys/identity/edge/registry.h"
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
  const auto slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash);
  const std::string peers = fleet.peers.starts_with('/') ? fleet.peers : folder + "/" + fleet.peers;
  if (::access(peers.c_str(), F_OK) != 0) return {};
  TRY(keys::read_registry(fleet, folder));
  return {};
}

}  // namespace weir::builder
