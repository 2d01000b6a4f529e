#include "builder/release/edge/statements.h"

#include "images/store/edge/statements.h"

namespace weir::builder {

Result<std::string> write_signed_statement(const images::Store& store, keys::StatementKind kind,
                                           const ReleaseName& name, const Digest& release,
                                           std::string json, const keys::Signer& signer) {
  TRY_ASSIGN(const auto text, keys::sign_statement(kind, name, release, std::move(json), signer));
  return images::write_statement(store, release, keys::file_word(kind), keys::print(signer.id),
                                 text);
}

Result<std::vector<std::string>> require_stored_statements(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const std::optional<keys::StatementDemand>& demand) {
  std::vector<std::string> out;
  if (!demand) return out;
  TRY_ASSIGN(const auto found,
             images::read_statements(store, release.digest(), keys::file_word(demand->kind)));
  TRY_ASSIGN_IN(const auto signers, keys::require_statements(found, release, *demand),
                "release " + release->name.string());
  for (const auto& key : signers) out.push_back(keys::print(key.id));
  return out;
}

}  // namespace weir::builder
