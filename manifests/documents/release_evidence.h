#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/documents/signed_text.h"

namespace weir::manifests {

/// What others than its signer state about a release.
enum class StatementKind : std::uint8_t {
  rebuild,     ///< "I made it again and got the same bytes"
  boot_check,  ///< "I booted it and it passed"
};

/// All that was found about a release, byte for byte and not yet believed: what a store gathers and
/// a judge of trust looks at.
struct ReleaseEvidence {
  ReleaseName name;                     ///< by which it was asked for
  std::string where;                    ///< what refusals begin with: "release demo"
  std::string release;                  ///< its document
  std::vector<std::string> signatures;  ///< .minisig texts over it; the one beside it first
  std::map<StatementKind, std::vector<SignedText>> statements;
  std::vector<std::string> unreadable;  ///< what could not be taken along, a sentence each
};

}  // namespace weir::manifests
