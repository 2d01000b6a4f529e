#pragma once

#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::manifests {

/// Whether the release's builder searched it for the keys of its own fleet. That is the builder's
/// word, which the release's signature covers. errors: unauthorized, saying how it is done
[[nodiscard]] Status require_own_key_search(const Release& release);

}  // namespace weir::manifests
