#pragma once

#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/documents/release.h"

namespace weir::manifests {

struct LoadedModule {
  std::string name, version, srcversion,
      build_id;  ///< as in ReleaseModule; build_id empty if built in
  bool operator==(const LoadedModule&) const = default;
};

/// What a running node says it is, as far as a release fixes it.
struct AttestedFacts {
  Digest lock_digest;  ///< of the lock its image was built from
  std::string kernel_release;
  std::string kernel_build_id;
  std::vector<LoadedModule> modules;
  std::vector<ReleasePackage> tools;
  bool operator==(const AttestedFacts&) const = default;
};

/// One fact that is not what the release says.
struct FactDifference {
  std::string fact;  ///< "module wireguard build id"
  std::string want;  ///< the release's
  std::string got;   ///< the node's; "(none)" where it says nothing
  bool operator==(const FactDifference&) const = default;
};

/// Compares lock digest, kernel release and build id, and of each module and tool that the release
/// pins (nodes speak of no others) what can be read from a running node. returns  one entry a fact
/// that differs, in this order
[[nodiscard]] std::vector<FactDifference> differences(const Release& release,
                                                      const AttestedFacts& facts);

/// "reports kernel build id X, but its release says Y"
[[nodiscard]] std::string print(const FactDifference& difference);

}  // namespace weir::manifests
