#include "manifests/base/process_stat.h"

#include <doctest/doctest.h>

namespace weir {

// Lines as in proc(5), the second with a name made to mislead.
TEST_CASE("state and start time are found behind any process name") {
  const std::string rest =
      " S 1 4242 4242 0 -1 4194560 100 0 0 0 7 3 0 0 20 0 4 0 987654 1073741824 2048 "
      "18446744073709551615";
  CHECK(parse_process_stat("4242 (qemu-system-x86)" + rest + "\n") == ProcessStat{'S', 987654});
  CHECK(parse_process_stat("4242 (a) T 1 (b)" + rest + "\n") == ProcessStat{'S', 987654});
}

TEST_CASE("what is not a stat line is refused") {
  for (const char* bad :
       {"", "1 (init", "1 (init) S 0 1", "1 (a) SS 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19",
        "1 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_process_stat(bad).has_value());
  }
}

}  // namespace weir
