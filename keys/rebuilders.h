#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "keys/minisign.h"
#include "manifests/result.h"

namespace weir::keys {

/// A document and its detached signature, as found and not yet checked.
struct SignedText {
  std::string json;
  std::string signature;  ///< .minisig text
};

/// Whether enough people have made a release again.
///
/// found       statements from anywhere; those that do not verify count for nothing
/// release     the release document's digest, which a statement must name
/// rebuilders  who is believed; a public key that is there twice, under whatever id, counts once
/// threshold   how many of them there must be, at least 1
/// returns     the rebuilders that signed, in the order of `rebuilders`
/// errors      unauthorized: fewer than `threshold`, naming who is missing; invalid_input: more are
///             demanded than there are distinct keys, or none
[[nodiscard]] Result<std::vector<SigningPublicKey>> require_rebuilders(
    const std::vector<SignedText>& found, const Digest& release,
    const std::vector<SigningPublicKey>& rebuilders, std::size_t threshold);

}  // namespace weir::keys
