#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keys/signing/minisign.h"
#include "keys/trust/verified.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"
#include "manifests/documents/release_evidence.h"
#include "manifests/documents/signed_text.h"
#include "manifests/documents/trust.h"

// What people other than its signer state about a release. Formats: docs/rebuild.md,
// docs/boot-check.md.
namespace weir::keys {

using StatementKind = manifests::StatementKind;

/// So many of these keys must have stated it.
struct StatementDemand {
  StatementKind kind;
  std::vector<SigningPublicKey> keys;
  std::size_t threshold = 1;
};

/// What a trust demands: the threshold of the role of this kind. nullopt: it has no such role.
[[nodiscard]] Result<std::optional<StatementDemand>> demand_of(const manifests::Trust& trust,
                                                               StatementKind kind);

/// Signs a statement's raw bytes. errors: as `sign`
[[nodiscard]] Result<manifests::SignedText> sign_statement(StatementKind kind,
                                                           const ReleaseName& name,
                                                           const Digest& release, std::string json,
                                                           const Signer& signer);

/// Whether enough people have stated it.
///
/// found    statements from anywhere; those that do not verify count for nothing
/// release  which a statement must be about, by name and digest; what a rebuild was made from, and
///          what a node that was booted said of itself, must be what the release says
/// demand   a public key that is there twice, under whatever id, counts once
/// returns  the keys that signed, in the demand's order
/// errors   unauthorized: fewer than the threshold, saying who is missing and why what was found
///          does not count; invalid_input: more are demanded than there are distinct keys, or none
[[nodiscard]] Result<std::vector<SigningPublicKey>> require_statements(
    const std::vector<manifests::SignedText>& found, const Verified<manifests::Release>& release,
    const StatementDemand& demand);

}  // namespace weir::keys
