#pragma once

#include <memory>
#include <optional>

#include "builder/kernel/module_signing.h"
#include "builder/lock/locked_image.h"
#include "builder/secrets/secret_scan.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// What a release is made from.
struct BuildInput : LockedImage {
  std::shared_ptr<const SecretScanner> scanner{};  ///< none: the rules alone
  /// What the release says of a search for the fleet's own keys: the scanner's word, or, in a
  /// rebuild, which does not have those keys, the word of who built it.
  std::optional<manifests::OwnKeys> own_keys{};
  std::shared_ptr<const ModuleSigningKey> module_key{};  ///< none: what was signed before is used
  bool signs_later = false;    ///< in a plan: the key is given, and nothing is signed with it yet
  bool compile_again = false;  ///< modules, also those that the cache has
};

}  // namespace weir::builder
