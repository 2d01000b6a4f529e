#include "deployer/pool/process_stat.h"

#include <doctest/doctest.h>

namespace weir::pool {

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

TEST_CASE("a console's tail is its last lines, without what a terminal would obey") {
  CHECK(last_lines("one\r\ntwo\n\nthree", 2, true) == "two\nthree");
  CHECK(last_lines("oken\nwhole\n", 5, false) == "whole");
  CHECK(last_lines("a\x1b[2Jb\x9b\n", 5, true) == "a?[2Jb?");
  CHECK(last_lines("", 5, true).empty());
}

}  // namespace weir::pool
