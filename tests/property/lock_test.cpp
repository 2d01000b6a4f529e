// What `weir-builder lock` writes, every other command reads: whatever archives write into their
// indices either becomes a lock that reads back as the same, or is left out.
#include "manifests/documents/lock.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "builder/lock/solver.h"
#include "builder/mirror/package_index.h"
#include "builder/mirror/suite_index.h"
#include "tests/property/seed.h"
#include "tests/unit/builder/lock/packages_fixture.h"

namespace weir::builder {
namespace {

using testing::below;
using testing::seeded;

// Mostly what archives write, and now and then what they should not.
std::string odd(std::mt19937_64& random, std::string_view usual) {
  constexpr std::array<std::string_view, 16> kPieces = {
      "./",  "//",     "/",        "..",   " ",  "\t",   "\\", "\"",
      "%3a", "%2e%2e", "\xc3\xb6", "\xff", "\r", "\x01", "?",  "~"};
  std::string out(usual);
  for (auto times = below(random, 3); times > 0; --times) {
    out.insert(below(random, out.size() + 1), kPieces[below(random, kPieces.size())]);
  }
  return out;
}

std::string index_of(std::mt19937_64& random) {
  constexpr std::string_view kKernel = "linux-image-6.1.0-9-cloud-amd64";
  std::string out = paragraph(std::string(kKernel), "6.1.20-1") + paragraph("tool", "1.0");
  for (int i = 0; i < 12; ++i) {
    const std::string content = std::to_string(i);
    out += "Package: " + (below(random, 2) == 0 ? odd(random, "tool") : std::string("tool")) +
           "\nVersion: " + odd(random, "1." + content) +
           "\nArchitecture: " + (below(random, 4) == 0 ? odd(random, "all") : "amd64") +
           "\nFilename: " + odd(random, "pool/main/tool_" + content + ".deb") +
           "\nSize: " + (below(random, 4) == 0 ? odd(random, "7") : "7") +
           "\nSHA256: " + Digest::of(as_bytes(content)).hex() + "\n\n";
  }
  return out;
}

}  // namespace

TEST_CASE("a lock of whatever index reads back as the same") {
  auto random = seeded("a lock of whatever index reads back as the same");
  int odd_ones = 0;
  for (int round = 0; round < 300; ++round) {
    const std::string text = index_of(random);
    CAPTURE(text);
    std::vector<PackageIndex> indices;
    auto index = PackageIndex::parse(text, "stable", false, "amd64");
    REQUIRE_MESSAGE(index.has_value(), index.error().message);
    indices.push_back(std::move(*index));
    const auto made = resolve(manifest_of({"tool"}), indices);
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    std::string date = odd(random, "Sat, 21 Nov 2026 02:10:46 UTC");
    const auto release = parse_suite_index("Date: " + date + "\nSHA256:\n");
    if (!release) date = "Sat, 21 Nov 2026 02:10:46 UTC";
    if (release) date = release->date;
    const Digest digest = Digest::of(as_bytes(text));
    const manifests::Lock lock{.name = *ReleaseName::parse("fixture"),
                               .architecture = "amd64",
                               .manifest_digest = digest,
                               .source_epoch = 1,
                               .sources = {{"stable", digest, date, std::string(40, 'A'), digest}},
                               .kernel = made->kernel,
                               .packages = made->packages,
                               .provides = {},
                               .accept_scripts = {},
                               .programs = {{"weir-init", digest, ByteCount{1}}},
                               .builder_version = "1",
                               .compressor = "none",
                               .version = 1};
    const auto again = manifests::parse_lock(manifests::print(lock));
    REQUIRE_MESSAGE(again.has_value(), again.error().message);
    CHECK(*again == lock);
    odd_ones += made->packages.back().version == "1.0" ? 0 : 1;
  }
  // Else nothing was tried.
  CHECK(odd_ones > 100);
}

}  // namespace weir::builder
