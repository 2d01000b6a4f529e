#include "builder/validate/edge/named_files.h"

#include <unistd.h>

#include <variant>

#include "keys/identity/edge/identity_check.h"
#include "keys/identity/edge/registry.h"
#include "keys/trust/edge/fleet_trust.h"
#include "manifests/base/paths.h"
#include "manifests/documents/fleet.h"

namespace weir::builder {
namespace {

Status check_trusted(const manifests::Fleet& fleet, const std::string& folder) {
  TRY_ASSIGN(const auto authority, keys::read_fleet_authority(fleet, folder));
  if (const auto* file = std::get_if<keys::TrustedFile>(&authority)) {
    TRY_IN(manifests::parse_trust_file(file->text), fleet.where_named("trust") + ": " + file->path);
  }
  TRY(keys::read_fleet_demands(fleet, folder));
  return {};
}

}  // namespace

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
  const bool peers = is_there(fleet.peers);
  if (peers) TRY(keys::read_registry(fleet, folder));
  if (!is_there(fleet.identity) && !is_there(fleet.store)) return {};
  TRY_IN(keys::check_identity(fleet, folder), file);
  TRY(check_trusted(fleet, folder));
  if (!peers) TRY(keys::read_registry(fleet, folder));
  return {};
}

}  // namespace weir::builder
