#include "builder/commands/edge/index_note.h"

#include "manifests/base/edge/program_log.h"

namespace weir::builder {

void print_index_note(const std::string& lock, const IndexVerdict& verdict) {
  if (verdict.check != IndexCheck::absent) return;
  log_line(lock + " was not held to the signed index again (--require-index demands it): " +
           verdict.missing);
}

}  // namespace weir::builder
