#pragma once

#include <string>

namespace weir::manifests {

/// A document and its detached signature, byte for byte as found and not yet checked.
struct SignedText {
  std::string json;
  std::string signature;  ///< .minisig text
};

}  // namespace weir::manifests
