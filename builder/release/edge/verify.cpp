#include "builder/release/edge/verify.h"

#include "keys/trust/edge/trust_files.h"

namespace weir::builder {

Status check_stored(const images::Store& store, const ReleaseName& name,
                    const manifests::Release& release) {
  const std::string where = "release " + name.string();
  if (release.name != name) {
    return fail(Errc::integrity,
                where + ": the signed document is of release '" + release.name.string() + "'");
  }
  const auto nothing = [](Bytes) -> Status { return {}; };
  TRY_IN(store.read_blob(release.kernel.image, nothing), where + ": kernel");
  for (const auto& layer : release.layers) {
    TRY_IN(store.read_blob(layer.blob, nothing), where + ": layer " + layer.name);
  }
  return {};
}

Result<keys::Verified<manifests::Release>> verify_stored(
    const images::Store& store, const images::StoredRelease& stored,
    const std::vector<keys::SigningPublicKey>& trusted) {
  const std::string where = "release " + stored.name.string();
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN_IN(auto release, keys::verify_release(stored.json, stored.signature, trusted, now),
                where);
  TRY(check_stored(store, stored.name, *release));
  return release;
}

}  // namespace weir::builder
