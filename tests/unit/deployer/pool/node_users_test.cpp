#include "deployer/pool/node_users.h"

#include <doctest/doctest.h>
#include <grp.h>
#include <pwd.h>

#include <map>
#include <string>

#include "deployer/pool/edge/node_user.h"

namespace weir::pool {

// The ranges of systemd's docs/UIDS-GIDS.md, "Summary", and shadow's login.defs.
TEST_CASE("nodes run as users that nobody else gives out") {
  struct Range {
    const char* whose;
    std::uint32_t first, last;
  };
  constexpr Range kTaken[] = {{"system", 0, 999},
                              {"regular", 1000, 60000},
                              {"systemd-homed", 60001, 60513},
                              {"systemd-homed mapped", 60514, 60577},
                              {"systemd dynamic services", 61184, 65519},
                              {"nobody", 65534, 65534},
                              {"16-bit -1", 65535, 65535},
                              {"subordinate users", 100000, 524287},
                              {"containers", 524288, 1879048191},
                              {"foreign", 2147352576, 2147418111},
                              {"beyond 31 bits", 2147483648, 4294967295}};
  for (const Range& taken : kTaken) {
    CAPTURE(taken.whose);
    for (const std::uint32_t number : {0U, 1U, 499U, 500U, 19999U, 20000U, 4294967295U}) {
      const std::uint32_t user = node_user(number);
      CHECK((user < taken.first || user > taken.last));
      CHECK(is_node_user(user));
    }
    CHECK_FALSE(is_node_user(taken.first));
    CHECK_FALSE(is_node_user(taken.last));
  }
  CHECK(node_user(1) != node_user(500));
}

TEST_CASE("ids that are lent as subordinate ids are refused, with whose they are") {
  const std::string table = "# ours\nalice:100000:65536\nbob:69000:2000\n:::\nx:1\n";
  const Status refused = check_subordinate_ids(table, 70001);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::busy);
  CHECK(refused.error().message.find("'bob'") != std::string::npos);
  CHECK(check_subordinate_ids(table, 70999).has_value() == false);
  CHECK(check_subordinate_ids(table, 71000).has_value());
  CHECK(check_subordinate_ids(table, 68999).has_value());
  CHECK(check_subordinate_ids("max:0:4294967296", 70001).has_value() == false);
  CHECK(check_subordinate_ids("", 70001).has_value());
}

TEST_CASE("a user or group that the host has is never a node's") {
  // root, and the group that every Debian has: base-passwd's nogroup.
  CHECK(check_node_user(0).error().message.find("'root'") != std::string::npos);
  CHECK(check_node_user(65534).error().code == Errc::busy);
  CHECK(check_node_user(node_user(1)).has_value());
}

TEST_CASE("an id that only a group has is refused with the group's name") {
  std::map<gid_t, std::string> groups;
  ::setgrent();
  while (const group* it = ::getgrent()) groups.emplace(it->gr_gid, it->gr_name);
  ::endgrent();
  std::erase_if(groups, [](const auto& it) { return ::getpwuid(it.first) != nullptr; });
  REQUIRE_FALSE(groups.empty());  // "shadow", "sudo" and others of base-passwd
  const auto& [id, name] = *groups.begin();
  const Status refused = check_node_user(id);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("is the group '" + name + "'") != std::string::npos);
}

}  // namespace weir::pool
