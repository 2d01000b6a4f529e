#include "manifests/base/edge/replacement.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <set>
#include <string>

#include "manifests/base/edge/file.h"
#include "tests/unit/images/scratch.h"
#include "tests/unit/names_in.h"

namespace weir {
namespace {

using test::names_in;

struct Place : test::TemporaryFolder {
  [[nodiscard]] std::string at(const std::string& name) const { return path + "/" + name; }
  [[nodiscard]] std::string content(const std::string& name) const {
    return read_file(at(name), ByteCount{99}).value_or("(none)");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Place,
                  "files that are replaced together are all there, and those to go are gone") {
  test::must("cd " + path + " && echo old > image && echo old > gone && ln -s image link");
  Replacement files;
  REQUIRE(files.remove(at("gone")).has_value());
  for (const char* name : {"image", "document", "link"}) {
    REQUIRE(files.write(at(name), std::string("new ") + name).has_value());
  }
  CHECK(content("image") == "old\n");
  CHECK(content("gone") == "old\n");
  REQUIRE(files.finish().has_value());
  CHECK(content("image") == "new image");
  CHECK(content("document") == "new document");
  // The link itself, and not what it names.
  CHECK(content("link") == "new link");
  CHECK(content("gone") == "(none)");
  struct stat info {};
  REQUIRE(::stat(at("image").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0644);
}

TEST_CASE_FIXTURE(Place, "what was replaced leaves nothing beside its place") {
  test::must("cd " + path + " && echo old > image && echo old > gone");
  {
    Replacement files;
    REQUIRE(files.remove(at("gone")).has_value());
    REQUIRE(files.write(at("image"), "new").has_value());
    REQUIRE(files.finish().has_value());
  }
  CHECK(names_in(path) == std::set<std::string>{"image"});
}

TEST_CASE_FIXTURE(Place, "where one file cannot be replaced, none is") {
  // A folder is in the last one's place.
  test::must("cd " + path + " && echo old > image && echo old > gone && mkdir taken");
  {
    Replacement files;
    REQUIRE(files.remove(at("gone")).has_value());
    for (const char* name : {"image", "document", "taken"}) {
      REQUIRE(files.write(at(name), "new").has_value());
    }
    const auto done = files.finish();
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().message == at("taken") + ": Is a directory");
  }
  CHECK(content("image") == "old\n");
  CHECK(content("gone") == "old\n");
  CHECK(names_in(path) == std::set<std::string>{"gone", "image", "taken"});
}

}  // namespace weir
