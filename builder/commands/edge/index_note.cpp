#include "builder/commands/edge/index_note.h"

#include <cstdio>

namespace weir::builder {

void print_index_note(const std::string& command, const std::string& lock,
                      const IndexVerdict& verdict) {
  if (verdict.check != IndexCheck::absent) return;
  std::fprintf(stderr,
               "weir-builder %s: %s was not held to the signed index again (--require-index "
               "demands it): %s\n",
               command.c_str(), lock.c_str(), verdict.missing.c_str());
}

}  // namespace weir::builder
