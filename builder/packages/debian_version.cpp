#include "builder/packages/debian_version.h"

#include <memory>

#include "builder/lock/libsolv.h"

namespace weir::builder {

std::strong_ordering compare_versions(const std::string& a, const std::string& b) {
  const std::unique_ptr<Pool, void (*)(Pool*)> pool(pool_create(), pool_free);
  pool_setdisttype(pool.get(), DISTTYPE_DEB);
  return pool_evrcmp_str(pool.get(), a.c_str(), b.c_str(), EVRCMP_COMPARE) <=> 0;
}

}  // namespace weir::builder
