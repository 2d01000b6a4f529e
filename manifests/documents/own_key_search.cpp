#include "manifests/documents/own_key_search.h"

namespace weir::manifests {

Status require_own_key_search(const Release& release) {
  if (release.scan.own_keys) return {};
  return fail(Errc::unauthorized,
              "was not searched for the fleet's own keys, which is demanded: build it again with "
              "weir-builder build --secrets");
}

}  // namespace weir::manifests
