#include "builder/release/edge/release_documents.h"

#include <utility>

#include "builder/release/edge/attest.h"

namespace weir::builder {
namespace {

constexpr ByteCount kLargestBill{64ULL << 20};

Result<std::string> named(const images::Store& store, const manifests::Provenance& provenance,
                          std::string_view name) {
  for (const manifests::Artifact& bill : provenance.byproducts) {
    if (bill.name == name) return store.read_document(bill.digest, kLargestBill);
  }
  return fail(Errc::not_found, "its provenance names no " + std::string(name));
}

Result<ReleaseDocuments> made_of(const images::Store& store,
                                 const keys::Verified<manifests::Release>& release) {
  TRY_ASSIGN(Attestation made, make_attestation(store, *release, release.digest()));
  return ReleaseDocuments{std::move(made.spdx), std::move(made.cyclonedx), std::nullopt, {}};
}

}  // namespace

Result<ReleaseDocuments> read_release_documents(const images::Store& store,
                                                const keys::Verified<manifests::Release>& release,
                                                const keys::SignerDemand& trusted) {
  const std::string where = "release " + release->name.string();
  const auto provenance = verify_stored_provenance(store, release, trusted);
  if (!provenance && provenance.error().code == Errc::unauthorized) return made_of(store, release);
  TRY(provenance);
  if (!*provenance) return made_of(store, release);
  TRY_ASSIGN_IN(std::string spdx, named(store, ***provenance, kSpdxFile), where);
  TRY_ASSIGN_IN(std::string cyclonedx, named(store, ***provenance, kCycloneDxFile), where);
  return ReleaseDocuments{std::move(spdx), std::move(cyclonedx), (**provenance).envelope(),
                          (**provenance).notes()};
}

}  // namespace weir::builder
