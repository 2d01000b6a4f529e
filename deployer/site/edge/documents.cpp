#include "deployer/site/edge/documents.h"

#include "keys/identity/edge/registry.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/paths.h"

namespace weir::deployer {
namespace {

constexpr ByteCount kDocumentLimit{1ULL << 20};

Result<manifests::Fleet> read_fleet(const std::string& path) {
  TRY_ASSIGN(const std::string yaml,
             if_missing(read_file(path, kDocumentLimit),
                        "write one with `weir-deployer init`, or name yours with --fleet"));
  return manifests::parse_fleet(yaml, path);
}

}  // namespace

Result<Documents> read_documents(const std::string& fleet_path) {
  TRY_ASSIGN(auto fleet, read_fleet(fleet_path));
  TRY_ASSIGN_IN(auto attachments, manifests::attachments_of(fleet), fleet_path);
  TRY_ASSIGN(auto peers, keys::read_registry(fleet, folder_of(fleet_path)));
  std::map<PublicKey, manifests::Peer> registry;
  for (manifests::Peer& peer : peers) registry.insert_or_assign(peer.public_key, std::move(peer));
  return Documents{folder_of(fleet_path), std::move(fleet), std::move(attachments),
                   std::move(registry)};
}

Result<std::string> control_path(const std::string& fleet_path) {
  TRY_ASSIGN(const auto fleet, read_fleet(fleet_path));
  return beside(fleet_path, fleet.state) + "/control.sock";
}

}  // namespace weir::deployer
