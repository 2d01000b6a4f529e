#pragma once

#include <doctest/doctest.h>

#include <utility>

#include "manifests/base/result.h"

namespace weir {

/// The value, or the end of the test with its error.
template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

inline void must(const Status& status) {
  if (!status) FAIL(status.error().message);
}

}  // namespace weir
