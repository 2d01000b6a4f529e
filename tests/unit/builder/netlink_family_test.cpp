#include "builder/netlink_family.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/builder/package_workshop.h"

namespace weir::builder {

TEST_CASE("a wireguard module passes with the netlink version that wg speaks, and with no other") {
  const test::Workshop workshop;
  const auto check = [&](const std::string& family, const std::string& section) {
    // As drivers/net/wireguard/netlink.c lays it out.
    workshop.write("m.c", "__attribute__((section(\"" + section +
                              "\"),used)) static struct { int id, header; char name[16]; unsigned "
                              "version, most; } family = { 0, 0, \"wireguard\", " +
                              family + ", 8 };\nint x;\n");
    workshop.run("gcc -c m.c -o m.ko");
    KernelModule module;
    module.name = "wireguard";
    module.aliases = {"rtnl-link-wireguard", "net-pf-16-proto-16-family-wireguard"};
    return check_wireguard_family(module, as_bytes(workshop.read("m.ko")));
  };
  CHECK(check("1", ".data..ro_after_init").has_value());
  const Status other = check("2", ".data..ro_after_init");
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().message.starts_with(
      "module wireguard speaks version 2 of the netlink family wireguard, and wg and the agent "
      "speak version 1: "));
  CHECK_FALSE(check("1", ".elsewhere").has_value());
  // Modules that register no such family are not asked.
  KernelModule none;
  none.name = "virtio_net";
  CHECK(check_wireguard_family(none, as_bytes("")).has_value());
}

}  // namespace weir::builder
