#include "manifests/base/edge/unfinished.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/images/scratch.h"
#include "tests/unit/names_in.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

using test::names_in;

}  // namespace

TEST_CASE("what a killed writer left is removed, and nothing else") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/lock.json";
  for (const char* name :
       {"lock.json.unfinished.aBc123", "lock.json.backup", "lock.json.unfinished",
        "lock.json.unfinished.abc", "other.unfinished.aBc123"}) {
    test::must("echo x > " + folder.path + "/" + name);
  }
  test::must("mkdir -p " + folder.path + "/lock.json.unfinished.folder/in/it");
  REQUIRE(write_file(path, "new").has_value());
  CHECK(names_in(folder.path) ==
        std::set<std::string>{"lock.json", "lock.json.backup", "lock.json.unfinished",
                              "lock.json.unfinished.abc", "other.unfinished.aBc123"});
}

TEST_CASE("what a writer still holds is left alone, until the writer is gone") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/out";
  {
    const auto file = make_unfinished_file(path);
    const auto other = make_unfinished_folder(path);
    REQUIRE(file.has_value());
    REQUIRE(other.has_value());
    struct stat info {};
    REQUIRE(::stat(file->path.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777U) == 0600);
    REQUIRE(::stat(other->path.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777U) == 0700);
    REQUIRE(write_file(path, "another's").has_value());
    CHECK(fs::exists(file->path));
    CHECK(fs::exists(other->path));
  }
  REQUIRE(write_file(path, "mine").has_value());
  CHECK(names_in(folder.path) == std::set<std::string>{"out"});
}

TEST_CASE("writers of one path at once do not take each other's files away") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/o";
  std::vector<std::thread> writers;
  writers.reserve(4);
  std::atomic<int> failed{0};
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        if (!write_file(path, std::string(1000, 'x'))) ++failed;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failed == 0);
  CHECK(names_in(folder.path) == std::set<std::string>{"o"});
  CHECK(make_unfinished_file(folder.path + "/missing/o").error().code == Errc::not_found);
}

}  // namespace weir
