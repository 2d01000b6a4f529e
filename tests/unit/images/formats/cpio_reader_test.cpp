#include "images/formats/cpio_reader.h"

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

// An entry made here and not by our own encoder; source: Linux, buffer-format.rst.
std::string entry(const std::string& name, unsigned mode = 0100644, const std::string& body = "") {
  char header[111];
  std::snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
                0U, mode, 0U, 0U, 1U, 0U, static_cast<unsigned>(body.size()), 0U, 0U, 0U, 0U,
                static_cast<unsigned>(name.size() + 1), 0U);
  std::string out = header + name + '\0';
  out.resize((out.size() + 3) / 4 * 4);
  out += body;
  out.resize((out.size() + 3) / 4 * 4);
  return out;
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

TEST_CASE("names that are too long or too deep are refused") {
  const auto says = [](const std::string& text) {
    const auto tree = decode_cpio(as_bytes(text));
    return tree ? std::string() : tree.error().message;
  };
  CHECK(says(entry("f") + entry("TRAILER!!!")).empty());
  const std::string end = entry("TRAILER!!!"), component(255, 'n');
  CHECK(says(entry(component) + end).empty());
  CHECK(says(entry(component + "n") + end).find("is too long or too deep") != std::string::npos);
  // The header's field takes its end along; more than 4096 is not even looked at.
  CHECK(says(entry(std::string(4095, 'n')) + end).find("is too long or too deep") !=
        std::string::npos);
  CHECK(says(entry(std::string(4096, 'n')) + end) == "cpio: a name of 4097 bytes");

  std::string path = "d", folders;
  for (int i = 1; i < 64; ++i) {
    folders += entry(path, 0040755);
    path += "/d";
  }
  CHECK(says(folders + entry(path, 0040755) + end).empty());
  CHECK(says(folders + entry(path, 0040755) + entry(path + "/d") + end)
            .find("is too long or too deep") != std::string::npos);

  path.clear();
  folders.clear();
  for (int i = 0; i < 4; ++i) {
    path += (i == 0 ? "" : "/") + std::string(254, 'd');
    folders += entry(path, 0040755);
  }
  path += "/" + std::string(4, 'f');
  CHECK(path.size() == 1024);
  CHECK(says(folders + entry(path) + end).empty());
  CHECK(says(folders + entry(path + "f") + end).find("is too long or too deep") !=
        std::string::npos);
  CHECK(says(entry("f", 0120777, std::string(4096, 't')) + end).empty());
  CHECK(says(entry("f", 0120777, std::string(4097, 't')) + end) ==
        "cpio: /f: a symbolic link without a usable target");
}

TEST_CASE("an archive has at most 100000 entries") {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += entry(std::to_string(i));
  const auto most = decode_cpio(as_bytes(text + entry("TRAILER!!!")));
  REQUIRE_MESSAGE(most.has_value(), most.error().message);
  CHECK(most->nodes().size() == 100000);
  const auto refused = decode_cpio(as_bytes(text + entry("f") + entry("TRAILER!!!")));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::exhausted);
  CHECK(refused.error().message == "cpio: more than 100000 entries");
}

}  // namespace weir::images
