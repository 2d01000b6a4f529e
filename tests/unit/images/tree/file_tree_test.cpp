#include "images/tree/file_tree.h"

#include <doctest/doctest.h>

#include <string>

#include "images/tree/documentation.h"
#include "images/tree/merged_usr.h"
#include "tests/unit/images/image_path.h"

namespace weir::images {
namespace {

using test::at;

Node file(std::string_view text) {
  return {0644, 0, 0, 7, File{content_of(text)}};
}
Node folder(std::uint32_t mode) {
  return {mode, 0, 0, 7, Folder{}};
}
Node link_to(std::string target) {
  return {0777, 0, 0, 7, Symlink{std::move(target)}};
}

}  // namespace

TEST_CASE("a tree prints canonically, with the parents nobody named") {
  FileTree tree;
  REQUIRE(tree.put(at("b/c/file"), file("abc")).has_value());
  REQUIRE(tree.put(at("b"), folder(0750)).has_value());
  REQUIRE(tree.put(at("a"), link_to("b/c")).has_value());
  REQUIRE(tree.put(at("dev/null"), {0666, 0, 3, 7, Device{false, 1, 3}}).has_value());
  // The digest is FIPS 180-2's for "abc".
  CHECK(print(tree) ==
        "/a 0777 0:0 7 symbolic link -> b/c\n"
        "/b 0750 0:0 7 folder\n"
        "/b/c 0755 0:0 7 folder\n"
        "/b/c/file 0644 0:0 7 file 3 "
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
        "/dev 0755 0:0 7 folder\n"
        "/dev/null 0666 0:3 7 device character 1,3\n");
}

TEST_CASE("two things at one path, and things below a file, are refused") {
  FileTree tree;
  REQUIRE(tree.put(at("etc/hosts"), file("a")).has_value());
  const std::pair<const char*, Node> bad[] = {
      {"etc/hosts", file("a")},    {"etc/hosts", folder(0755)},     {"etc/hosts/x", file("b")},
      {"etc/hosts", link_to("x")}, {"etc/hosts/x/y", folder(0755)}, {"", file("root")}};
  for (const auto& [path, node] : bad) {
    const auto& shown = path;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto put = tree.put(at(path), node);
    REQUIRE_FALSE(put.has_value());
    CHECK(put.error().code == Errc::invalid_input);
  }
  REQUIRE(tree.put(at("etc"), folder(0755)).has_value());
  CHECK_FALSE(tree.put(at("etc"), folder(0755)).has_value());
  CHECK_FALSE(tree.put(at("etc"), file("x")).has_value());
}

TEST_CASE("merging /usr moves paths, joins folders and refuses collisions") {
  FileTree tree;
  REQUIRE(tree.put(at("bin/sh"), link_to("dash")).has_value());
  REQUIRE(tree.put(at("lib/x/a"), file("a")).has_value());
  REQUIRE(tree.put(at("usr/lib/x/b"), file("b")).has_value());
  REQUIRE(tree.put(at("lib64/ld.so"), link_to("/lib/x/a")).has_value());
  REQUIRE(tree.put(at("library"), file("c")).has_value());
  const auto merged_tree = merge_usr(tree);
  REQUIRE(merged_tree.has_value());
  for (const char* path :
       {"usr/bin/sh", "usr/lib/x/a", "usr/lib/x/b", "usr/lib64/ld.so", "library"}) {
    CAPTURE(path);
    CHECK(merged_tree->find(at(path)) != nullptr);
  }
  for (const char* path : {"bin", "lib", "lib64", "lib/x"}) {
    CHECK(merged_tree->find(at(path)) == nullptr);
  }
  FileTree twice;
  REQUIRE(twice.put(at("bin/sh"), file("1")).has_value());
  REQUIRE(twice.put(at("usr/bin/sh"), file("1")).has_value());
  CHECK_FALSE(merge_usr(twice).has_value());
}

TEST_CASE(
    "a package's own merged-/usr links are no conflict where they are the root's, and no others") {
  for (const char* name : {"bin", "lib", "lib64", "sbin"}) {
    CAPTURE(name);
    FileTree same, elsewhere, content;
    REQUIRE(same.put(at(name), link_to("usr/" + std::string(name))).has_value());
    REQUIRE(same.put(at("usr/lib/x"), file("x")).has_value());
    const auto merged_tree = merge_usr(same);
    REQUIRE(merged_tree.has_value());
    CHECK(merged_tree->find(at(name)) == nullptr);
    CHECK(merged_tree->find(at("usr/lib/x")) != nullptr);
    REQUIRE(elsewhere.put(at(name), link_to("usr/share")).has_value());
    CHECK_FALSE(merge_usr(elsewhere).has_value());
    REQUIRE(content.put(at(name), file("x")).has_value());
    CHECK_FALSE(merge_usr(content).has_value());
  }
}

TEST_CASE("a path that is too long or too deep once /usr is merged is refused for that") {
  std::string deep = "lib", length = "lib";
  for (int i = 1; i < 63; ++i) deep += "/d";
  for (int i = 0; i < 4; ++i) length += "/" + std::string(253, 'n');
  length += 'n';  // with usr/ 1024 bytes
  for (const std::string& most : {deep, length}) {
    FileTree fits, over;
    REQUIRE(fits.put(at(most), file("1")).has_value());
    CHECK(merge_usr(fits).has_value());
    REQUIRE(over.put(at(most == deep ? deep + "/d" : length + "n"), file("1")).has_value());
    const auto refused = merge_usr(over);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::exhausted);
    CHECK(refused.error().message.find("'usr/lib/") != std::string::npos);
    CHECK(refused.error().message.find("is too long or too deep") != std::string::npos);
  }
}

TEST_CASE("dropping takes the folders along that only held what was dropped") {
  FileTree tree;
  for (const char* path : {"usr/share/doc/wg/copyright", "usr/share/doc/wg/changelog.gz",
                           "usr/share/doc/wg/examples/a/b", "usr/share/man/man8/wg.8.gz",
                           "usr/share/locale/de/LC_MESSAGES/x.mo", "usr/bin/wg"}) {
    REQUIRE(tree.put(at(path), file(path)).has_value());
  }
  REQUIRE(tree.put(at("usr/share/doc/libwg"), link_to("wg")).has_value());
  REQUIRE(tree.put(at("usr/share/empty"), folder(0755)).has_value());
  REQUIRE(tree.put(at("usr/share/man/man1"), folder(0755)).has_value());
  tree.drop_if([](const ImagePath& path, const Node&) { return is_documentation(path); });
  std::string left;
  for (const auto& [path, _] : tree.nodes()) left += path.string() + "\n";
  CHECK(left ==
        "usr\nusr/bin\nusr/bin/wg\nusr/share\nusr/share/doc\nusr/share/doc/libwg\n"
        "usr/share/doc/wg\nusr/share/doc/wg/copyright\nusr/share/empty\n");
}

}  // namespace weir::images
