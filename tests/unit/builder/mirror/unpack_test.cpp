#include "builder/mirror/unpack.h"

#include <doctest/doctest.h>

#include "manifests/base/digest.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {

using test::output_of;

TEST_CASE("what xz, gzip, bzip2, zstd and lzma pack is unpacked within limits") {
  for (const char* tool : {"xz -c", "gzip -c", "bzip2 -c", "zstd -qc", "xz --format=lzma -c"}) {
    const std::string packed = output_of("printf 'hello world' | " + std::string(tool));
    CAPTURE(tool);
    REQUIRE(packed.size() > 12);
    CHECK(unpack_index(packed, ByteCount{11}) == std::string("hello world"));
    CHECK(unpack_index(packed, ByteCount{10}).error().code == Errc::exhausted);
    const auto cut = unpack_index(packed.substr(0, packed.size() / 2), ByteCount{11});
    CHECK((!cut || *cut != "hello world"));
    const std::string bomb = output_of("head -c 10000000 /dev/zero | " + std::string(tool));
    CHECK(unpack_index(bomb, ByteCount{1000}).error().code == Errc::exhausted);
  }
}

TEST_CASE("several streams one behind the other are one file") {
  for (const char* tool : {"xz -c", "gzip -c", "bzip2 -c", "zstd -qc"}) {
    const std::string packed = output_of("printf 'hello world' | " + std::string(tool));
    CAPTURE(tool);
    CHECK(unpack_index(packed + packed, ByteCount{22}) == std::string("hello worldhello world"));
  }
}

TEST_CASE("nothing, packed, is nothing: a component without packages") {
  for (const char* tool : {"xz -c", "gzip -c", "bzip2 -c", "zstd -qc"}) {
    CAPTURE(tool);
    CHECK(unpack_index(output_of("printf '' | " + std::string(tool)), ByteCount{0}) ==
          std::string());
  }
}

TEST_CASE("what is not packed, or damaged, is refused") {
  for (const char* text : {"", "x", "Package: a\n"}) {
    CHECK(unpack_index(text, ByteCount{11}).error().code == Errc::integrity);
  }
  const std::string packed = output_of("printf 'hello world' | xz -c");
  for (std::size_t at = 0; at < packed.size(); ++at) {
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    CAPTURE(at);
    CHECK_FALSE(unpack_index(damaged, ByteCount{11}).has_value());
  }
}

TEST_CASE("SHA-512 is that of sha512sum") {
  CHECK(sha512_of("abc") == output_of("printf abc | sha512sum | cut -c1-128 | tr -d '\\n'"));
}

}  // namespace weir::builder
