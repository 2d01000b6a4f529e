#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "manifests/base/edge/process.h"
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
