#include "deployer/pool/console_tail.h"

#include <doctest/doctest.h>

namespace weir::pool {

TEST_CASE("a console's tail is its last lines, without what a terminal would obey") {
  CHECK(last_lines("one\r\ntwo\n\nthree", 2, true) == "two\nthree");
  CHECK(last_lines("oken\nwhole\n", 5, false) == "whole");
  CHECK(last_lines("a\x1b[2Jb\x9b\n", 5, true) == "a?[2Jb?");
  CHECK(last_lines("", 5, true).empty());
}

TEST_CASE("a kernel that gives up is heard, once and without its time") {
  // As QEMU's console had it: Debian's 6.1 with rdinit= set to what is not there.
  CHECK(panic_in("[    3.130671] Kernel panic - not syncing: VFS: Unable to mount root fs on "
                 "unknown-block(0,0)\r") ==
        "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)");
  CHECK(panic_in("[    3.4] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on "
                 "unknown-block(0,0) ]---\r") == "");
  CHECK(panic_in("[    0.000000] Command line: panic=10 console=ttyS0") == "");
  CHECK(panic_among(
            "[    3.0] a line\n[    3.1] Kernel panic - not syncing: no init\r\n[    3.2] b") ==
        "Kernel panic - not syncing: no init");
  CHECK(panic_among("[    3.0] a line\n") == "");
}

}  // namespace weir::pool
