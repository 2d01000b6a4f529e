#include "builder/release/edge/trusted.h"

#include <utility>

#include "images/store/read_evidence.h"

namespace weir::builder {
namespace {

Status check_blobs(const images::Store& store, const manifests::Release& release) {
  const std::string where = "release " + release.name.string();
  const auto nothing = [](Bytes) -> Status { return {}; };
  TRY_IN(store.read_blob(release.kernel.image, nothing), where + ": kernel");
  for (const auto& layer : release.layers) {
    TRY_IN(store.read_blob(layer.blob, nothing), where + ": layer " + layer.name);
  }
  return {};
}

}  // namespace

Result<TrustedRelease> verify_stored(const images::Store& store, const ReleaseName& name,
                                     TrustBasis basis) {
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  TRY_ASSIGN(auto evidence, images::read_evidence(store, name));
  const keys::Verdict verdict = keys::judge(evidence, basis.believed.authority(), basis.demands,
                                            {now, basis.believed.seen()});
  TRY_ASSIGN(auto release, verdict.release());
  TRY(check_blobs(store, *release));
  TrustedRelease out{{name, evidence.release, evidence.signatures.front()},
                     std::move(release),
                     verdict.signers(),
                     {},
                     {},
                     {name, {}, {}, {}, {}, {}},
                     std::move(basis)};
  for (const auto& [kind, ids] : verdict.stated_by()) {
    (kind == keys::StatementKind::rebuild ? out.rebuilt_by : out.boot_checked_by) = ids;
  }
  out.evidence = std::move(evidence);
  return out;
}

Status remember_accepted(const TrustedRelease& accepted) {
  TRY_ASSIGN(const UtcTime now, keys::read_clock());
  return keys::remember_accepted(accepted.evidence, accepted.basis.believed, accepted.basis.demands,
                                 {now});
}

}  // namespace weir::builder
