#include "manifests/base/edge/destination.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/images/scratch.h"

namespace weir {

TEST_CASE("folders that are missing can be made below a folder, and below nothing else") {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path + "/file") << "x";
  CHECK(check_folders(folder.path).has_value());
  CHECK(check_folders(folder.path + "/a/b/c").has_value());
  CHECK(check_folders(folder.path + "/a/b/").has_value());
  CHECK_FALSE(std::filesystem::exists(folder.path + "/a"));
  CHECK(check_folders("weir-test-nothing/deeper").has_value());
  for (const char* inside : {"/file", "/file/a", "/file/a/b"}) {
    const Status refused = check_folders(folder.path + inside);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::invalid_input);
    CHECK(refused.error().message.find(folder.path + "/file is not a folder") != std::string::npos);
  }
}

TEST_CASE("a file goes into a folder that is there, in place of a file or of nothing") {
  const test::TemporaryFolder folder;
  CHECK(check_destination(folder.path + "/new").has_value());
  std::ofstream(folder.path + "/file") << "x";
  CHECK(check_destination(folder.path + "/file").has_value());
  CHECK(check_destination(folder.path + "/none/new").error().code == Errc::not_found);
  CHECK(check_destination(folder.path).error().code == Errc::invalid_input);
  CHECK(check_destination("/dev/null").error().code == Errc::invalid_input);
}

TEST_CASE("nothing is stored in the kernel's own file systems, even where root may write") {
  for (const std::string place : {"/proc/weir", "/sys/weir"}) {
    for (const Status& refused : {check_folders(place), check_folders(place + "/a"),
                                  check_folder_of(place), check_destination(place)}) {
      CAPTURE(place);
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().message.find(place.substr(0, place.rfind('/'))) != std::string::npos);
    }
  }
}

}  // namespace weir
