#include "builder/lock/lock_version.h"

#include <algorithm>

namespace weir::builder {

std::uint64_t lock_version(const manifests::Lock& next,
                           const std::optional<manifests::Lock>& before,
                           std::optional<std::uint64_t> stated) {
  if (stated) return *stated;
  const auto epoch = static_cast<std::uint64_t>(std::max<std::int64_t>(next.source_epoch, 0));
  if (!before) return epoch;
  manifests::Lock same = next;
  same.version = before->version;
  return same == *before ? before->version : std::max(epoch, before->version + 1);
}

}  // namespace weir::builder
