#include "deployer/pool/edge/node_user.h"

#include <grp.h>
#include <pwd.h>

#include <string>
#include <vector>

#include "deployer/pool/node_users.h"
#include "manifests/base/edge/file.h"

namespace weir::pool {
namespace {

constexpr std::size_t kLongestEntry = 1 << 16;
constexpr ByteCount kLargestTable{1 << 20};

}  // namespace

Status check_node_user(uid_t user) {
  std::vector<char> room(kLongestEntry);
  passwd account{};
  passwd* found = nullptr;
  const auto refuse = [&](const std::string& what) {
    return fail(Errc::busy, what + "; ids " + std::to_string(kFirstNodeUser) + " to " +
                                std::to_string(kFirstNodeUser + kNodeUsers - 1) +
                                " are for the machines of nodes: give it another one");
  };
  if (::getpwuid_r(user, &account, room.data(), room.size(), &found) == 0 && found != nullptr) {
    return refuse("user id " + std::to_string(user) + " is the account '" + found->pw_name + "'");
  }
  group members{};
  group* found_group = nullptr;
  if (::getgrgid_r(user, &members, room.data(), room.size(), &found_group) == 0 &&
      found_group != nullptr) {
    return refuse("group id " + std::to_string(user) + " is the group '" + found_group->gr_name +
                  "'");
  }
  for (const char* path : {"/etc/subuid", "/etc/subgid"}) {
    const auto table = read_file(path, kLargestTable);
    if (!table && table.error().code == Errc::not_found) continue;
    if (!table) return tl::unexpected(table.error());
    if (auto free = check_subordinate_ids(*table, user); !free) {
      return refuse(std::string(path) + ": " + free.error().message);
    }
  }
  return {};
}

}  // namespace weir::pool
