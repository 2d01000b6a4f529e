#pragma once

#include <cstddef>
#include <optional>

#include "deployer/orders/observed.h"

namespace weir::deployer {

/// What a rollout that was not finished had come to, by its journal. The data plane is what counts:
/// this says how far it was, and where clients were that no node can tell of any more.
struct Resumption {
  std::size_t steps = 0;
  Phase phase = Phase::planned;
  std::map<PublicKey, Known> places;
};

/// Walks the journal again. Absent: nothing was kept, as by former versions.
/// errors  invalid_input, integrity: it does not lead where it says
[[nodiscard]] Result<std::optional<Resumption>> resume(const StoredJournal& journal);

}  // namespace weir::deployer
