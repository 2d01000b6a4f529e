#include "deployer/pool/console_tail.h"

#include <doctest/doctest.h>

namespace weir::pool {

TEST_CASE("a console's tail is its last lines, without what a terminal would obey") {
  CHECK(last_lines("one\r\ntwo\n\nthree", 2, true) == "two\nthree");
  CHECK(last_lines("oken\nwhole\n", 5, false) == "whole");
  CHECK(last_lines("a\x1b[2Jb\x9b\n", 5, true) == "a?[2Jb?");
  CHECK(last_lines("", 5, true).empty());
}

}  // namespace weir::pool
