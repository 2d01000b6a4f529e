#include "builder/kernel/netlink_family.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/builder/mirror/package_workshop.h"

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

TEST_CASE("a wg tool passes that asks for the family by its name, as the real one does") {
  const test::Workshop workshop;
  const auto check = [&](const std::string& bytes) {
    images::FileTree tree;
    REQUIRE(tree.put(*images::ImagePath::parse("usr/bin/wg"),
                     {0755, 0, 0, 0, images::File{images::content_of(bytes)}})
                .has_value());
    return check_wireguard_tool(tree);
  };
  CHECK(check(test::bytes_of("/usr/bin/wg")).has_value());
  CHECK(check("#!/bin/sh\nexec true\n").has_value());
  CHECK(check_wireguard_tool({}).has_value());
  workshop.write("wg.c", "const char text[] = \"wireguard.old\";\nvoid _start(void) {}\n");
  workshop.run("gcc -nostdlib -static wg.c -o wg");
  const Status other = check(workshop.read("wg"));
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code == Errc::integrity);
  CHECK(other.error().message.starts_with(
      "/usr/bin/wg does not ask the kernel for the netlink family wireguard"));
}

}  // namespace weir::builder
