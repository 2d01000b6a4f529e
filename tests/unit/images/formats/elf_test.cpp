#include "images/formats/elf.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::bytes_of;
using test::must;

std::string readelf(const std::string& options, const std::string& path) {
  return must("LC_ALL=C readelf -W " + options + " " + path);
}

}  // namespace

TEST_CASE("facts about the machine's own programs and libraries agree with readelf") {
  for (const char* path : {"/usr/bin/ls", "/usr/bin/wg", "/lib/x86_64-linux-gnu/libc.so.6",
                           "/lib/x86_64-linux-gnu/libmnl.so.0"}) {
    CAPTURE(path);
    const std::string bytes = bytes_of(path);
    const auto elf = parse_elf(as_bytes(bytes));
    REQUIRE_MESSAGE(elf.has_value(), elf.error().message);
    CHECK(elf->kind == ElfKind::shared);
    CHECK(elf->machine == 62);
    const std::string dynamic = readelf("-d", path);
    std::size_t libraries = 0;
    for (std::size_t at = 0; (at = dynamic.find("(NEEDED)", at)) != std::string::npos; ++at) {
      ++libraries;
    }
    CHECK(elf->needed.size() == libraries);
    for (const std::string& name : elf->needed) {
      CHECK(dynamic.find("[" + name + "]") != std::string::npos);
    }
    if (!elf->soname.empty()) {
      CHECK(dynamic.find("Library soname: [" + elf->soname + "]") != std::string::npos);
    }
    CHECK((dynamic.find("(SONAME)") == std::string::npos) == elf->soname.empty());
    CHECK(readelf("-n", path).find("Build ID: " + elf->build_id) != std::string::npos);
    CHECK(elf->build_id.size() == 40);
    const std::string segments = readelf("-l", path);
    CHECK((segments.find("interpreter: " + elf->interpreter + "]") != std::string::npos) ==
          !elf->interpreter.empty());
  }
}

TEST_CASE("a run path is read, and a file that is cut anywhere is refused or read, never worse") {
  const test::TemporaryFolder folder;
  must("cd " + folder.path +
       " && echo 'int f(void) { return 1; }' > f.c && "
       "cc -shared -fPIC -s -Wl,-rpath,'$ORIGIN/../x:/opt/y' -Wl,-soname,libf.so.1 f.c -o f.so");
  const std::string bytes = bytes_of(folder.path + "/f.so");
  const auto elf = parse_elf(as_bytes(bytes));
  REQUIRE(elf.has_value());
  CHECK(elf->run_path == "$ORIGIN/../x:/opt/y");
  CHECK(elf->soname == "libf.so.1");
  CHECK(elf_section(as_bytes(bytes), ".dynstr").has_value());
  CHECK(elf_section(as_bytes(bytes), ".nothing").error().code == Errc::not_found);
  for (std::size_t size = 0; size < bytes.size(); size += 61) {
    (void)parse_elf(as_bytes(bytes.substr(0, size)));
  }
  CHECK_FALSE(parse_elf(as_bytes(bytes.substr(0, bytes.size() - 1))).has_value());
  CHECK_FALSE(parse_elf(as_bytes("\177ELF")).has_value());
  CHECK_FALSE(is_elf(as_bytes("#!/bin/sh")));
}

TEST_CASE("versions of symbols that are asked for and defined are those that objdump lists") {
  for (const std::string file :
       {"/usr/bin/wg", "/usr/bin/openssl", "/lib/x86_64-linux-gnu/libc.so.6",
        "/lib/x86_64-linux-gnu/libcrypto.so.3"}) {
    CAPTURE(file);
    const std::string bytes = test::bytes_of(file);
    const auto elf = parse_elf(as_bytes(bytes));
    REQUIRE_MESSAGE(elf.has_value(), elf.error().message);
    std::string needs, defines;
    for (const auto& [library, versions] : elf->version_needs) {
      for (const std::string& version : versions) needs += library + " " + version + "\n";
    }
    for (const std::string& version : elf->versions) defines += version + "\n";
    const std::string lists = "LC_ALL=C objdump -p " + file + " | awk '/^Version/ { part = $2 } ";
    CHECK(needs ==
          test::must(lists + "part == \"References:\" && /required from/ { sub(\":\", \"\", $3); "
                             "library = $3 } part == \"References:\" && /^ *0x/ { print library, "
                             "$4 }' | LC_ALL=C sort"));
    CHECK(defines ==
          test::must(lists +
                     "part == \"definitions:\" && $2 == \"0x00\" { print $4 }' | LC_ALL=C sort"));
    CHECK((needs + defines).size() > 20);
  }
}

}  // namespace weir::images
