#include "images/formats/tar.h"

#include <doctest/doctest.h>

#include <string>

#include "images/formats/cpio.h"
#include "images/formats/cpio_reader.h"
#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::must;
using test::TemporaryFolder;

FileTree example() {
  FileTree tree;
  const auto put = [&](std::string_view path, Node node) {
    REQUIRE(tree.put(*ImagePath::parse(path), std::move(node)).has_value());
  };
  const std::string deep(120, 'd');
  put("usr/bin/tool", {04755, 3, 4, 1000000000, File{content_of("#!tool\n")}});
  put("usr/bin/none", {0644, 0, 8, 1500000000, File{content_of("")}});
  put("tmp", {01777, 0, 0, 1, Folder{}});
  put("bin", {0777, 0, 0, 1, Symlink{"usr/bin"}});
  put("far", {0777, 0, 0, 1, Symlink{std::string(200, 't')}});
  put("usr/" + deep + "/" + deep, {0600, 0, 0, 1, File{content_of("deep")}});
  put("dev/console", {0600, 0, 5, 1, Device{false, 5, 1}});
  return tree;
}

std::string gathered(const auto& encode) {
  std::string out;
  REQUIRE(encode([&](Bytes bytes) -> Status {
            out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            return {};
          }).has_value());
  return out;
}

std::string tar_of(const FileTree& tree) {
  return gathered([&](const auto& sink) { return encode_tar(tree, sink); });
}

std::string cpio_of(const FileTree& tree) {
  return gathered([&](const auto& sink) { return encode_cpio(tree, 2000000000, sink); });
}

std::string why(const std::string& bytes) {
  const auto tree = decode_cpio(as_bytes(bytes));
  return tree ? "" : tree.error().message;
}

}  // namespace

TEST_CASE("GNU tar and bsdtar's library read the archive") {
  const TemporaryFolder folder;
  REQUIRE(write_file(folder.path + "/a.tar", tar_of(example())).has_value());
  const std::string listed =
      must("cd " + folder.path + " && TZ=UTC tar --numeric-owner --full-time -tvf a.tar");
  CAPTURE(listed);
  CHECK(listed.find("-rwsr-xr-x 3/4") != std::string::npos);
  CHECK(listed.find("2001-09-09 01:46:40 usr/bin/tool") != std::string::npos);
  CHECK(listed.find("drwxrwxrwt") != std::string::npos);
  CHECK(listed.find("bin -> usr/bin") != std::string::npos);
  CHECK(listed.find(" -> " + std::string(200, 't')) != std::string::npos);
  CHECK(listed.find("console") == std::string::npos);
  must("cd " + folder.path + " && mkdir out && tar -C out -xf a.tar");
  const std::string deep(120, 'd');
  CHECK(test::bytes_of(folder.path + "/out/usr/" + deep + "/" + deep) == "deep");
  const std::string again = must("cd " + folder.path +
                                 " && python3 -c \"import tarfile\n"
                                 "print(len(tarfile.open('a.tar').getmembers()))\"");
  CHECK(again == "10\n");
}

TEST_CASE("names that delete in container images are refused") {
  FileTree tree;
  REQUIRE(
      tree.put(*ImagePath::parse("a/.wh.b"), {0644, 0, 0, 0, File{content_of("")}}).has_value());
  const auto done = encode_tar(tree, [](Bytes) -> Status { return {}; });
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().message.find("/a/.wh.b") != std::string::npos);
}

TEST_CASE("a cpio archive reads back as the tree it was made from") {
  const auto tree = decode_cpio(as_bytes(cpio_of(example())));
  REQUIRE_MESSAGE(tree.has_value(), tree.error().message);
  CHECK(print(*tree) == print(example()));
}

TEST_CASE("archives of GNU cpio are read, but for hard links") {
  const TemporaryFolder folder;
  must("cd " + folder.path +
       " && mkdir -p r/a && echo hello > r/a/b && ln -s b r/a/c && cd r && "
       "find . -mindepth 1 | sort | cpio -o -H newc --quiet > ../x.cpio");
  const auto tree = decode_cpio(as_bytes(test::bytes_of(folder.path + "/x.cpio")));
  REQUIRE_MESSAGE(tree.has_value(), tree.error().message);
  const Node* file = tree->find(*ImagePath::parse("a/b"));
  REQUIRE(file != nullptr);
  CHECK(std::string(file->file()->content->begin(), file->file()->content->end()) == "hello\n");
  must("cd " + folder.path +
       "/r && ln a/b a/d && find . -mindepth 1 | sort | cpio -o -H newc --quiet > ../x.cpio");
  CHECK(why(test::bytes_of(folder.path + "/x.cpio")).find("hard link") != std::string::npos);
}

TEST_CASE("damaged, cut and strange archives are refused") {
  const std::string whole = cpio_of(example());
  for (std::size_t size = 0; size < whole.rfind("TRAILER!!!") + 11; size += 3) {
    CAPTURE(size);
    CHECK_FALSE(why(whole.substr(0, size)).empty());
  }
  CHECK(why(whole + std::string(512, '\0')).empty());
  CHECK(why(whole + "x").find("trailer") != std::string::npos);
  // Two entries at one path.
  const auto entries = whole.substr(0, whole.rfind("070701"));
  CHECK(why(entries + whole).find("twice") != std::string::npos);
  std::string lost = whole;
  const auto name = lost.find("usr/bin/tool");
  lost.replace(name, 3, "usx");
  CHECK(why(lost).find("before its folder") != std::string::npos);
  lost = whole;
  lost.replace(lost.find("usr/bin/tool"), 7, "../../b");
  CHECK_FALSE(why(lost).empty());
}

}  // namespace weir::images
