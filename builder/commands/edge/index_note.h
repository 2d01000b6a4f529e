#pragma once

#include <string>

#include "builder/lock/edge/lock_index.h"

namespace weir::builder {

/// Says on stderr, where it is so, that a lock was not held to the signed indices again.
void print_index_note(const std::string& lock, const IndexVerdict& verdict);

}  // namespace weir::builder
