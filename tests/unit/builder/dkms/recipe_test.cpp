#include "builder/dkms/recipe.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/text.h"

namespace weir::builder {
namespace {

using test::has;

images::FileTree tree_of(const std::vector<std::pair<std::string, std::int64_t>>& files) {
  images::FileTree out;
  for (const auto& [path, mtime] : files) {
    const images::Node node{0644, 0, 0, mtime, images::File{images::content_of(path)}};
    REQUIRE(out.put(*images::ImagePath::parse(path), node).has_value());
  }
  return out;
}

manifests::LockedPackage package(const std::string& name, const std::string& bytes) {
  return {name,         "1",
          "all",        "pool/" + name + ".deb",
          ByteCount{1}, Digest::of(as_bytes(bytes)),
          "stable",     "asked for"};
}

}  // namespace

TEST_CASE("a DKMS package is where its dkms.conf is, and as old as its newest file") {
  const auto source = find_dkms_source(tree_of({{"usr/src/jool-dkms-4.1.9/dkms.conf", 5},
                                                {"usr/src/jool-dkms-4.1.9/src/a/dkms.conf", 7},
                                                {"usr/share/doc/jool-dkms/dkms.conf", 9}}));
  REQUIRE_MESSAGE(source.has_value(), source.error().message);
  CHECK(source->folder == "/usr/src/jool-dkms-4.1.9");
  CHECK(source->conf == Digest::of(as_bytes("usr/src/jool-dkms-4.1.9/dkms.conf")));
  CHECK(source->epoch == 7);

  const auto none = find_dkms_source(tree_of({{"usr/src/linux/Makefile", 0}}));
  REQUIRE_FALSE(none.has_value());
  CHECK(has(none.error().message, "is no DKMS package: it has no /usr/src/NAME/dkms.conf"));
  const auto two =
      find_dkms_source(tree_of({{"usr/src/a-1/dkms.conf", 0}, {"usr/src/b-1/dkms.conf", 0}}));
  REQUIRE_FALSE(two.has_value());
  CHECK(has(two.error().message, "brings two sources, /usr/src/a-1 and /usr/src/b-1"));
}

TEST_CASE("every package that modules are compiled with decides what they are called by") {
  manifests::LockedModuleBuild build{
      {"a-dkms", "b-dkms"}, "linux-headers-6.1.0", {package("a-dkms", "a"), package("gcc", "12")}};
  CHECK(release_of(build) == "6.1.0");
  const Digest key = compile_key(build, "amd64", "a-dkms");
  CHECK(key == compile_key(build, "amd64", "a-dkms"));
  CHECK(key != compile_key(build, "arm64", "a-dkms"));
  CHECK(key != compile_key(build, "amd64", "b-dkms"));
  build.signer = "MIIC";
  CHECK(key == compile_key(build, "amd64", "a-dkms"));
  build.packages[1].digest = Digest::of(as_bytes("13"));
  CHECK(key != compile_key(build, "amd64", "a-dkms"));
}

TEST_CASE("the sandbox has no network, nothing of the caller's environment, and a root to read") {
  const DkmsSource source{"/usr/src/a-1", Digest::of({}), 1700000000};
  const auto words = sandbox_arguments("/cache/x", false, source, "6.1.0", "amd64");
  const auto at = [&](const std::string& word) {
    return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
  };
  for (const char* word : {"--unshare-all", "--die-with-parent", "--clearenv"}) {
    CHECK_MESSAGE(at(word) < at("--"), word);
  }
  CHECK(at("--share-net") == words.size());
  CHECK(at("--bind") == words.size());
  CHECK(words[at("--ro-bind") + 1] == "/cache/x");
  CHECK(words[at("--ro-bind") + 2] == "/");
  CHECK(words[at("SOURCE_DATE_EPOCH") + 1] == "1700000000");
  const std::vector<std::string> given(words.end() - 3, words.end());
  CHECK(given == std::vector<std::string>{"/usr/src/a-1", "6.1.0", "x86_64"});
  CHECK(at("--uid") < at("--"));
  const auto as_root = sandbox_arguments("/cache/x", true, source, "6.1.0", "amd64");
  CHECK(std::find(as_root.begin(), as_root.end(), "--uid") == as_root.end());
}

TEST_CASE("what the sandbox writes are files by name and size, and what is cut is refused") {
  const auto files = parse_sandbox_output("a.ko 3\nx\nyb b.ko.xz 0\nc.ko 1\nz");
  REQUIRE_MESSAGE(files.has_value(), files.error().message);
  CHECK(*files == std::vector<std::pair<std::string, std::string>>{
                      {"a.ko", "x\ny"}, {"b b.ko.xz", ""}, {"c.ko", "z"}});
  CHECK(parse_sandbox_output("")->empty());
  for (const char* text : {"a.ko 3\nx", "a.ko 3", "a.ko\n", "a.ko 3x\nabc", "a.ko -1\nabc"}) {
    CHECK_FALSE_MESSAGE(parse_sandbox_output(text).has_value(), text);
  }
}

TEST_CASE("of a log the compiler's errors are told, and its end where there are none") {
  CHECK(telling_lines(
            "CC a.o\na.c:3:5: error: 'x' undeclared\n  3 | x\n\na.c:9: error: y\nmake: ***\n", 8) ==
        std::vector<std::string>{"a.c:3:5: error: 'x' undeclared", "a.c:9: error: y"});
  CHECK(telling_lines("one\ntwo\n \nthree\n", 2) == std::vector<std::string>{"two", "three"});
  CHECK(telling_lines("", 2).empty());
}

}  // namespace weir::builder
