#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <vector>

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/messages/service_settings.h"
#include "tests/folders.h"
#include "tests/patience.h"

namespace weir::node {
namespace {

Ended run_here(const std::string& path, const std::vector<std::string>& arguments) {
  const auto out = run({.path = path, .arguments = arguments}, "", {.time = test::kPatience});
  REQUIRE_MESSAGE(out.has_value(), (out ? "" : out.error().message));
  return *out;
}

std::string readelf(const std::string& option, const std::string& program) {
  const Ended out =
      run_here("/usr/bin/readelf",
               {option, "--wide", std::string(test::build_folder() + "/bin/") + program});
  REQUIRE(out.status == 0);
  return out.output;
}

std::set<std::string> needed_by(const std::string& program) {
  std::set<std::string> out;
  std::istringstream lines(readelf("--dynamic", program));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("(NEEDED)") == std::string::npos) continue;
    const auto open = line.find('[');
    out.insert(line.substr(open + 1, line.find(']') - open - 1));
  }
  return out;
}

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("PID 1 needs nothing, and the agent only what every image carries") {
  CHECK(readelf("--program-headers", "weir-init").find("INTERP") == std::string::npos);
  CHECK(needed_by("weir-init").empty());
  for (const std::string& library : needed_by("weir-node")) {
    CAPTURE(library);
    CHECK(std::set<std::string>{"libmnl.so.0", "libsodium.so.23", "libssl.so.3", "libcrypto.so.3",
                                "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}
              .contains(library));
  }
}

// By this `weir-builder build` tells them from programs that know of no services.
TEST_CASE("each program holds the path of the list of services in one piece") {
  std::vector<std::string> programs{"weir-init", "weir-node"};
  for (const char* other : {"arm64/weir-init", "arm64/weir-node"}) {
    if (std::filesystem::exists(test::build_folder() + "/bin/" + other)) programs.push_back(other);
  }
  for (const std::string& program : programs) {
    CAPTURE(program);
    const auto bytes = read_file(test::build_folder() + "/bin/" + program, ByteCount{64ULL << 20});
    REQUIRE(bytes.has_value());
    CHECK(bytes->find(manifests::kServicesPath) != std::string::npos);
  }
}

// Where there is a cross compiler, ./run builds them with everything else.
TEST_CASE("the programs of arm64 need the same, and hold no path of where they were built") {
  const std::string folder = "arm64/";
  if (!std::filesystem::exists(test::build_folder() + "/bin/" + folder + "weir-node")) {
    REQUIRE_MESSAGE(std::getenv("WEIR_REQUIRE_ALL") == nullptr, "no node programs of arm64");
    MESSAGE("SKIPPED: no node programs of arm64");
    return;
  }
  CHECK(readelf("--program-headers", folder + "weir-init").find("INTERP") == std::string::npos);
  CHECK(needed_by(folder + "weir-init").empty());
  auto own = needed_by("weir-node");
  own.erase("ld-linux-x86-64.so.2");
  own.insert("ld-linux-aarch64.so.1");
  CHECK(needed_by(folder + "weir-node") == own);
  for (const std::string program : {"weir-init", "weir-node"}) {
    CHECK(readelf("--file-header", folder + program).find("AArch64") != std::string::npos);
    const auto bytes =
        read_file(test::build_folder() + "/bin/" + folder + program, ByteCount{64ULL << 20});
    REQUIRE(bytes.has_value());
    CHECK(bytes->find("sysroot") == std::string::npos);
    CHECK(bytes->find(test::source_folder()) == std::string::npos);
  }
}
#endif

TEST_CASE("the programs refuse to run where they do not belong") {
  const std::string bin = test::build_folder() + "/bin/";
  const Ended init = run_here(bin + "weir-init", {});
  CHECK(init.status != 0);
  CHECK(init.error.ends_with("runs as PID 1 of a node's image only\n"));
  CHECK(run_here(bin + "weir-node", {"--bogus"}).status == 2);
  CHECK(run_here(bin + "weir-node", {"--help"}).status == 0);
}

}  // namespace weir::node
