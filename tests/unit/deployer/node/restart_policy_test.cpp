#include "deployer/node/restart_policy.h"

#include <doctest/doctest.h>

namespace weir::node {

TEST_CASE("restarts slow down, and start over after a good run") {
  using std::chrono::milliseconds;
  RestartPolicy policy;
  for (const int expected : {100, 200, 400, 800, 1600, 3200, 5000, 5000}) {
    CHECK(policy.delay_after(milliseconds(10)) == milliseconds(expected));
  }
  CHECK(policy.delay_after(milliseconds(30000)) == milliseconds(100));
  CHECK(policy.delay_after(milliseconds(10)) == milliseconds(200));
}

}  // namespace weir::node
