#include "deployer/node/edge/carry_over.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>

#include "manifests/base/edge/file.h"

namespace weir::node {
namespace {

namespace fs = std::filesystem;

// Each path below with its mode, owner and what it holds.
std::map<std::string, std::string> listed(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    struct stat seen {};
    REQUIRE(::lstat(entry.path().c_str(), &seen) == 0);
    std::string text = std::to_string(seen.st_mode) + " " + std::to_string(seen.st_uid) + ":" +
                       std::to_string(seen.st_gid) + " ";
    if (entry.is_symlink()) {
      text += fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      text += *read_file(entry.path(), ByteCount{1000});
    }
    out[fs::relative(entry.path(), folder)] = text;
  }
  return out;
}

}  // namespace

TEST_CASE("what an image has below a mount is made again in it, with owner and mode") {
  const fs::path place = fs::temp_directory_path() / ("carry." + std::to_string(::getpid()));
  fs::remove_all(place);
  const fs::path from = place / "from", to = place / "to";
  fs::create_directories(from / "chrony" / "deep");
  fs::create_directories(to);
  REQUIRE(write_file(from / "chrony" / "text", "a text\n", 0640).has_value());
  REQUIRE(write_file(from / "empty", "", 0600).has_value());
  fs::create_symlink("../nowhere", from / "link");
  fs::permissions(from / "chrony", fs::perms(02750));
  fs::permissions(from / "chrony" / "deep", fs::perms(0));
  if (::geteuid() == 0) {
    REQUIRE(::chown((from / "chrony" / "text").c_str(), 12, 34) == 0);
    REQUIRE(::lchown((from / "link").c_str(), 56, 78) == 0);
  }
  const Fd folder(::open(from.c_str(), O_RDONLY | O_DIRECTORY));
  if (::geteuid() != 0) fs::permissions(from / "chrony" / "deep", fs::perms(0700));

  const auto made = carry_over(folder.get(), to);
  if (!made) FAIL(made.error().message);
  CHECK(*made == 5);
  CHECK(listed(to) == listed(from));

  // What is there stays as it is, and is not counted.
  REQUIRE(write_file(to / "empty", "full", 0644).has_value());
  CHECK(carry_over(folder.get(), to).value() == 0);
  CHECK(*read_file(to / "empty", ByteCount{1000}) == "full");
  fs::remove_all(place);
}

}  // namespace weir::node
