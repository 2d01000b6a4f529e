#pragma once

#include <utility>

#include "deployer/rollout/terms/commands.h"
#include "manifests/base/result.h"

namespace weir::deployer {

/// What a call came to, as the answer to a command: `echo` is its caller's to fill in.
[[nodiscard]] inline Event event_of(Status status) {
  if (status) return {0, Done{}};
  return {0, Failed{std::move(status).error()}};
}

/// make  the event of a value
template <class T, class Make>
[[nodiscard]] Event event_of(Result<T> result, Make make) {
  if (!result) return {0, Failed{std::move(result).error()}};
  return {0, make(std::move(*result))};
}

}  // namespace weir::deployer
