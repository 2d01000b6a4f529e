#include "builder/layers/debian_accounts.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "tests/unit/images/scratch.h"

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

TEST_CASE("users and groups of base-passwd are read as they stand there") {
  const std::string folder = "/usr/share/base-passwd/";
  std::ostringstream users, groups;
  users << std::ifstream(folder + "passwd.master").rdbuf();
  groups << std::ifstream(folder + "group.master").rdbuf();
  std::string lines;
  for (const auto& user : users_in(users.str())) {
    lines += user.name + ":" + std::to_string(user.id) + ":" + std::to_string(user.group_id) + ":" +
             user.home + ":" + user.shell + "\n";
  }
  CHECK(lines ==
        test::output_of("grep -v ^root: " + folder +
                        "passwd.master | awk -F: '{print $1\":\"$3\":\"$4\":\"$6\":\"$7}'"));
  lines.clear();
  for (const auto& group : groups_in(groups.str())) {
    lines += group.name + ":" + std::to_string(group.id) + "\n";
  }
  CHECK(lines ==
        test::output_of("grep -v ^root: " + folder + "group.master | awk -F: '{print $1\":\"$3}'"));

  CHECK(users_in("a:x:1\n:x:2:2::/:/\nb:x:-1:2::/:/\nroot:x:0:0::/:/\nc:x:3:4:x:/h:/s").size() ==
        1);
  CHECK(groups_in("a:x:1:b,c\nd:x:y:").front().members == std::vector<std::string>{"b", "c"});
}

}  // namespace weir::builder
