#include "builder/packages/tmpfiles.h"

#include <doctest/doctest.h>

namespace weir::builder {

// systemd 256 and later: tmpfiles.d(5), "$" marks what --purge removes, and changes nothing else.
TEST_CASE("a line that is marked for purging makes what it would make without") {
  const auto plain = parse_tmpfiles_line("d /run/systemd/netif 0755 root root -");
  const auto marked = parse_tmpfiles_line("d$ /run/systemd/netif 0755 root root -");
  REQUIRE((plain.has_value() && plain->has_value()));
  REQUIRE((marked.has_value() && marked->has_value()));
  CHECK((*marked)->path == (*plain)->path);
  CHECK((*marked)->kind == (*plain)->kind);
  CHECK_FALSE(parse_tmpfiles_line("d% /run/x").has_value());
}

}  // namespace weir::builder
