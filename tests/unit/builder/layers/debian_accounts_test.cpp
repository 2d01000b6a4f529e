#include "builder/layers/debian_accounts.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

namespace weir::builder {
namespace {

// "games:*:5:60:games:/usr/games:/usr/sbin/nologin", "adm:*:4:"
void each_account(const char* file,
                  const std::function<void(const std::string&, std::uint32_t)>& use) {
  std::ifstream lines(std::string("/usr/share/base-passwd/") + file);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    std::istringstream fields(line);
    std::string name, password, id;
    std::getline(fields, name, ':');
    std::getline(fields, password, ':');
    std::getline(fields, id, ':');
    use(name, static_cast<std::uint32_t>(std::stoul(id)));
  }
  REQUIRE(count > 10);
}

}  // namespace

TEST_CASE("Debian's own users and groups have the numbers of base-passwd") {
  each_account("passwd.master", [](const std::string& name, std::uint32_t id) {
    CAPTURE(name);
    CHECK(debian_user_id(name) == id);
  });
  each_account("group.master", [](const std::string& name, std::uint32_t id) {
    CAPTURE(name);
    CHECK(debian_group_id(name) == id);
    CHECK(debian_group_name(id) == name);
  });
  CHECK_FALSE(debian_user_id("frr").has_value());
  CHECK(debian_group_name(101).empty());
}

}  // namespace weir::builder
