#include "images/formats/layer.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "images/formats/cpio.h"
#include "images/formats/decompress.h"
#include "tests/unit/images/image_path.h"
#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::at;

using test::must;
using test::TemporaryFolder;

FileTree example_layer(std::size_t size = 5) {
  FileTree tree;
  const auto put = [&](std::string_view path, Node node) {
    REQUIRE(tree.put(at(path), std::move(node)).has_value());
  };
  std::string noise;
  for (std::size_t i = 0, x = 1; i < size; ++i) {
    x = x * 6364136223846793005U + 1442695040888963407U;
    noise += static_cast<char>(x >> 56);
  }
  put("usr/bin/tool", {04755, 0, 0, 1000000000, File{content_of(noise)}});
  put("usr/bin/none", {0644, 0, 8, 2000000000, File{content_of("")}});
  put("usr-x", {0600, 5, 6, -5, File{content_of("odd")}});
  put("bin", {0777, 0, 0, 1, Symlink{"usr/bin"}});
  put("dev/console", {0600, 0, 5, 1, Device{false, 5, 1}});
  return tree;
}

std::string cpio_of(const FileTree& tree, std::int64_t epoch) {
  std::string out;
  REQUIRE(encode_cpio(tree, epoch, [&](Bytes bytes) -> Status {
            out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            return {};
          }).has_value());
  return out;
}

}  // namespace

TEST_CASE("GNU cpio lists and unpacks what was encoded") {
  const TemporaryFolder folder;
  const std::string bytes = cpio_of(example_layer(), 1500000000);
  CHECK(bytes.size() == cpio_size(example_layer()).value);
  REQUIRE(write_file(folder.path + "/a.cpio", bytes).has_value());
  const std::string listed = must(
      "cd " + folder.path + " && TZ=UTC LC_ALL=C cpio -itv --numeric-uid-gid --quiet < a.cpio");
  CAPTURE(listed);
  CHECK(must("cd " + folder.path + " && cpio -it --quiet < a.cpio") ==
        "bin\ndev\ndev/console\nusr\nusr-x\nusr/bin\nusr/bin/none\nusr/bin/tool\n");
  CHECK(listed.find("lrwxrwxrwx   1 0        0               7 Jan  1  1970 bin -> usr/bin") !=
        std::string::npos);
  CHECK(listed.find("crw-------   1 0        5          5,   1 Jan  1  1970 dev/console") !=
        std::string::npos);
  CHECK(listed.find("-rwsr-xr-x   1 0        0               5 Sep  9  2001 usr/bin/tool") !=
        std::string::npos);
  // Clamped to the epoch, 14 July 2017, and to 1970.
  CHECK(listed.find("-rw-r--r--   1 0        8               0 Jul 14  2017 usr/bin/none") !=
        std::string::npos);
  CHECK(listed.find("-rw-------   1 5        6               3 Jan  1  1970 usr-x") !=
        std::string::npos);
  must("cd " + folder.path + " && mkdir out && cd out && cpio -i --quiet < ../a.cpio");
  CHECK(test::bytes_of(folder.path + "/out/usr-x") == "odd");
}

TEST_CASE("a layer is one zstd frame, a multiple of four bytes long, whatever its content") {
  const TemporaryFolder folder;
  std::set<std::size_t> unpadded;
  for (std::size_t size = 0; size < 24; ++size) {
    const FileTree tree = example_layer(size);
    const auto layer = encode_layer(tree, 1500000000);
    REQUIRE(layer.has_value());
    CHECK(layer->bytes.size() % 4 == 0);
    CHECK(layer->blob.size.value == layer->bytes.size());
    CHECK(layer->blob.digest == Digest::of(layer->bytes));
    const std::string plain = cpio_of(tree, 1500000000);
    CHECK(layer->content_digest == Digest::of(as_bytes(plain)));
    CHECK(layer->content_size.value == plain.size());
    REQUIRE(write_file(folder.path + "/l",
                       {reinterpret_cast<const char*>(layer->bytes.data()), layer->bytes.size()})
                .has_value());
    must("cd " + folder.path +
         " && zstd -qdcf < l > out && zstd -qt < l && zstdcat l | cpio -it --quiet");
    CHECK(test::bytes_of(folder.path + "/out") == plain);
    const auto again = decompress(layer->bytes, ByteCount{1 << 20});
    REQUIRE(again.has_value());
    CHECK(std::string(again->begin(), again->end()) == plain);
    CHECK(decompress(layer->bytes, ByteCount{plain.size() - 1}).error().code == Errc::exhausted);
  }
}

TEST_CASE("the same tree gives the same layer, in whatever order it was made") {
  FileTree other;
  const FileTree tree = example_layer();
  for (auto it = tree.nodes().rbegin(); it != tree.nodes().rend(); ++it) {
    REQUIRE(other.put(it->first, it->second).has_value());
  }
  CHECK(encode_layer(tree, 9)->bytes == encode_layer(other, 9)->bytes);
  CHECK(encode_layer(tree, 9)->bytes != encode_layer(tree, 1500000000)->bytes);
}

TEST_CASE("decompress reads what xz, gzip and zstd wrote, and nothing else") {
  const TemporaryFolder folder;
  must("cd " + folder.path +
       " && seq 100000 > plain && xz -k plain && gzip -k plain && zstd -q plain");
  const std::string plain = test::bytes_of(folder.path + "/plain");
  for (const char* suffix : {".xz", ".gz", ".zst"}) {
    CAPTURE(suffix);
    const std::string packed = test::bytes_of(folder.path + "/plain" + suffix);
    const auto out = decompress(as_bytes(packed), ByteCount{1 << 20});
    REQUIRE_MESSAGE(out.has_value(), out.error().message);
    CHECK(std::string(out->begin(), out->end()) == plain);
    CHECK_FALSE(decompress(as_bytes(packed.substr(0, packed.size() / 2)), ByteCount{1 << 20}));

    const auto exactly = decompress_exactly(as_bytes(packed), ByteCount{plain.size()});
    REQUIRE_MESSAGE(exactly.has_value(), exactly.error().message);
    CHECK(std::string(exactly->begin(), exactly->end()) == plain);
    for (const std::uint64_t other : {plain.size() - 1, plain.size() + 1, std::size_t{0}}) {
      const auto refused = decompress_exactly(as_bytes(packed), ByteCount{other});
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().message == "compressed stream does not unpack to the " +
                                           std::to_string(other) + " bytes that are stated");
    }
    CHECK_FALSE(decompress_exactly(as_bytes(packed), ByteCount{1ULL << 40}));
    CHECK_FALSE(
        decompress_exactly(as_bytes(packed.substr(0, packed.size() / 2)), ByteCount{plain.size()}));
  }
  CHECK_FALSE(decompress(as_bytes(plain), ByteCount{1 << 20}));
  CHECK_FALSE(decompress({}, ByteCount{1 << 20}));
}

TEST_CASE("a size that is stated and does not come costs no memory") {
  // RFC 8878: a frame of one raw block of one byte, then a skippable frame to be long enough for
  // the ratio that blocks could have.
  std::string packed("\x28\xb5\x2f\xfd\x00\x00\x09\x00\x00x", 10);
  REQUIRE(decompress_exactly(as_bytes(packed), ByteCount{1}).has_value());
  packed += std::string("\x50\x2a\x4d\x18\x00\x00\x02\x00", 8) + std::string(128 << 10, '\0');
  REQUIRE(decompress_exactly(as_bytes(packed), ByteCount{1}).has_value());
  // In a process of its own, whose peak is that of nothing before.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto peak = [] {
      struct rusage usage {};
      ::getrusage(RUSAGE_SELF, &usage);
      return usage.ru_maxrss;  // KiB
    };
    const auto before = peak();
    const auto out = decompress_exactly(as_bytes(packed), ByteCount{(1ULL << 31) - 1});
    ::_exit(out ? 1 : peak() - before > (64 << 10) ? 2 : 0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace weir::images
