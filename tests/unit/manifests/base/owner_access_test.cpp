// What is made under a umask that takes everything.
#include "manifests/base/edge/owner_access.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "manifests/base/edge/unfinished.h"
#include "tests/unit/images/scratch.h"

namespace weir {
namespace {

struct Umask {
  explicit Umask(mode_t mask) : before(::umask(mask)) {}
  ~Umask() { ::umask(before); }
  mode_t before;
};

unsigned mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

}  // namespace

TEST_CASE("no umask keeps the owner out of folders that are made; the others it does") {
  for (const auto& [mask, wide, narrow] : {std::tuple{0777U, 0700U, 0700U},
                                           {0700U, 0755U, 0700U},
                                           {0077U, 0700U, 0700U},
                                           {0727U, 0750U, 0700U},
                                           {0300U, 0755U, 0700U},
                                           {0000U, 0755U, 0700U}}) {
    const unsigned shown = mask;
    CAPTURE(shown);
    const test::TemporaryFolder folder;
    const Umask under(mask);
    REQUIRE(make_folders(folder.path + "/store/blobs/sha256").has_value());
    REQUIRE(make_folders(folder.path + "/state", 0700).has_value());
    for (const char* made : {"/store", "/store/blobs", "/store/blobs/sha256"}) {
      CHECK(mode_of(folder.path + made) == wide);
    }
    CHECK(mode_of(folder.path + "/state") == narrow);
    REQUIRE(make_folders(folder.path + "/store/blobs/sha256/again").has_value());
    const auto unfinished = make_unfinished_folder(folder.path + "/out");
    REQUIRE(unfinished.has_value());
    CHECK(mode_of(unfinished->path) == 0700);
  }
}

TEST_CASE("no umask keeps the owner out of files that are made, and read again") {
  for (const unsigned mask : {0777U, 0700U, 0077U}) {
    CAPTURE(mask);
    const test::TemporaryFolder folder;
    const Umask under(mask);
    REQUIRE(lock_file(folder.path + "/lock").has_value());
    CHECK(mode_of(folder.path + "/lock") == 0600);
    REQUIRE(open_log_file(folder.path + "/log", Existing::kept).has_value());
    CHECK(mode_of(folder.path + "/log") == 0600);
    const auto unfinished = make_unfinished_file(folder.path + "/out");
    REQUIRE(unfinished.has_value());
    CHECK(mode_of(unfinished->path) == 0600);
    REQUIRE(write_file(folder.path + "/file", "text").has_value());
    CHECK(mode_of(folder.path + "/file") == 0644);
  }
}

TEST_CASE("a folder that was there keeps the mode that it has, and no link is followed") {
  const test::TemporaryFolder folder;
  const std::string closed = folder.path + "/closed", link = folder.path + "/link";
  REQUIRE(::mkdir(closed.c_str(), 0500) == 0);
  CHECK(make_folders(closed).has_value());
  CHECK(mode_of(closed) == 0500);
  REQUIRE(::symlink(closed.c_str(), link.c_str()) == 0);
  CHECK(grant_to_owner(link, 0700) == 0);  // a link has all bits
  CHECK(mode_of(closed) == 0500);
}

}  // namespace weir
