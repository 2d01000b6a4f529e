#pragma once

#include <cerrno>

#include "manifests/base/result.h"

namespace weir::images {

/// What a library could not get from the system; by its errno it is told from limits of ours.
[[nodiscard]] inline tl::unexpected<Error> no_memory() {
  return tl::unexpected(Error{Errc::exhausted, ENOMEM, "not enough memory"});
}

}  // namespace weir::images
