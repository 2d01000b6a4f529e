#include "images/cpio_reader.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::must;
using test::TemporaryFolder;

// Made by GNU cpio.
std::string archive(const TemporaryFolder& folder) {
  must("cd " + folder.path +
       " && mkdir -p usr/bin && printf hello > usr/bin/tool && chmod 4755 usr/bin/tool && "
       "ln -s usr/bin bin && touch -h -d @1000000000 usr/bin/tool bin && mknod null c 1 3 && "
       "printf 'usr\\nusr/bin\\nusr/bin/tool\\nbin\\nnull\\n' | "
       "cpio --quiet -o -H newc --owner 0:8 -C 4 > a.cpio 2> /dev/null");
  return test::bytes_of(folder.path + "/a.cpio");
}

}  // namespace

TEST_CASE("what GNU cpio archived is read entry by entry") {
  const TemporaryFolder folder;
  const auto tree = decode_cpio(as_bytes(archive(folder)));
  REQUIRE_MESSAGE(tree.has_value(), tree.error().message);
  CHECK(tree->nodes().size() == 5);
  const auto at = [&](const char* path) {
    const Node* node = tree->find(*ImagePath::parse(path));
    REQUIRE(node != nullptr);
    return *node;
  };
  const Node tool = at("usr/bin/tool");
  CHECK(tool.mode == 04755);
  CHECK(tool.gid == 8);
  CHECK(tool.mtime == 1000000000);
  CHECK(*tool.file()->content == *content_of("hello"));
  CHECK(at("bin").symlink()->target == "usr/bin");
  CHECK(at("null").device()->major == 1);
  CHECK(at("null").device()->minor == 3);
}

TEST_CASE("an archive that is cut, continued or leaves its root is refused") {
  const TemporaryFolder folder;
  const std::string good = archive(folder);
  const auto trailer = good.find("TRAILER!!!");
  for (std::size_t size = 0; size < trailer + 11; size += 7) {
    CHECK_FALSE(decode_cpio(as_bytes(std::string_view(good).substr(0, size))).has_value());
  }
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return decode_cpio(as_bytes(text.replace(at, from.size(), to)));
  };
  CHECK_FALSE(decode_cpio(as_bytes(good + "070701")).has_value());
  CHECK_FALSE(with("070701", "070702").has_value());
  CHECK_FALSE(with("usr/bin/tool", "usr/../tool!").has_value());
  CHECK_FALSE(with("usr/bin/tool", "usr/non/tool").has_value());
  CHECK_FALSE(with("00000005", "FFFFFFFF").has_value());
}

}  // namespace weir::images
