#include "builder/release/edge/statements.h"

namespace weir::builder {

Result<std::string> write_signed_statement(images::Store& store, keys::StatementKind kind,
                                           const ReleaseName& name, const Digest& release,
                                           std::string json, const keys::Signer& signer) {
  TRY_ASSIGN(const auto text, keys::sign_statement(kind, name, release, std::move(json), signer));
  const auto attachment = kind == keys::StatementKind::rebuild ? images::AttachmentKind::rebuilt
                                                               : images::AttachmentKind::booted;
  return store.attach(release, attachment, {text.json, text.signature, keys::print(signer.id)});
}

}  // namespace weir::builder
