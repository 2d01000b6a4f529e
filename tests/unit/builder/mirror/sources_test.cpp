// Several sources in one manifest, each with its own keys, components and mirrors.
#include "builder/mirror/edge/sources.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "builder/mirror/edge/mirror.h"
#include "tests/unit/builder/mirror/real_archive.h"

namespace weir::builder {
namespace {

using test::must;

// repo/VENDOR/dists/stable/COMPONENT, of the packages whose names begin with `packages`.
void publish(const RealArchive& archive, const std::string& vendor, const std::string& component,
             const std::string& packages, const ThrowAwayKey& by) {
  const std::string folder = "dists/stable/" + component + "/binary-amd64";
  must("mkdir -p " + archive.at("repo/" + vendor) + " && cd " + archive.at("repo/" + vendor) +
       " && mkdir -p pool " + folder + " && cp " + archive.at("debs/") + packages +
       "*.deb pool && apt-ftparchive packages pool > " + folder +
       "/Packages && apt-ftparchive -o APT::FTPArchive::Release::Suite=stable release dists/stable "
       "> Release.new && mv Release.new dists/stable/Release");
  archive.sign(vendor + "/dists/stable/", by, true);
}

// A block as YAML and deb822 have it, under a field.
std::string indented(const std::string& block, const std::string& empty) {
  std::string out;
  std::string_view rest = block;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    out += line.empty() ? empty : "      " + std::string(line) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(RealArchive,
                  "two sources with one suite name are told apart, and neither key "
                  "signs for the other") {
  const ThrowAwayKey vendor;
  publish(*this, "debian", "main", "l", key());
  publish(*this, "vendor", "extra", "tool", vendor);
  const std::string mirrors = "--mirror URL/repo/debian --mirror vendor:stable=URL/repo/vendor";
  const auto sources = [&](const std::string& first, const std::string& second) {
    return "[{suites: [stable], keyring: " + first +
           "}, {name: vendor, suites: [stable], components: [extra], keyring: " + second + "}]";
  };
  const std::string good = sources(key().keyring(), vendor.keyring());
  const auto outcome = lock(good, mirrors);
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  const auto made = locked();
  REQUIRE(made.sources.size() == 2);
  CHECK(made.sources[0].suite == "stable");
  CHECK(made.sources[0].signer == key().fingerprint());
  CHECK(made.sources[1].suite == "vendor:stable");
  CHECK(made.sources[1].signer == vendor.fingerprint());
  REQUIRE(made.packages.size() == 3);
  CHECK(made.packages[0].suite == "stable");
  CHECK(made.packages[2].name == "tool");
  CHECK(made.packages[2].suite == "vendor:stable");

  // The other's key, though it is good for its own source.
  for (const auto& [crossed, label] :
       {std::pair(sources(vendor.keyring(), vendor.keyring()), "suite stable"),
        {sources(key().keyring(), key().keyring()), "suite vendor:stable"}}) {
    const auto refused = lock(crossed, mirrors);
    CAPTURE(refused.out);
    CHECK(refused.status == 1);
    CHECK(refused.out.find(label) != std::string::npos);
    CHECK(refused.out.find("which is not in the keyring") != std::string::npos);
  }
  // The vendor takes its place at Debian's mirror.
  publish(*this, "debian", "main", "l", vendor);
  const auto taken = lock(good, mirrors);
  CHECK(taken.status == 1);
  CHECK(taken.out.find("/dists/stable/InRelease: is signed by key") != std::string::npos);
  CHECK(locked() == made);
}

TEST_CASE_FIXTURE(RealArchive,
                  "a suite whose signer is another than before is a change, and said") {
  publish(*this, "", "main", "", key());
  const ThrowAwayKey next;
  must("cat " + key().keyring() + " " + next.keyring() + " > " + at("both.gpg"));
  REQUIRE(lock("{suites: [stable], keyring: both.gpg}").status == 0);
  publish(*this, "", "main", "", next);
  const auto outcome = lock("{suites: [stable], keyring: both.gpg}");
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  CHECK(outcome.out.find("changes   1\n") != std::string::npos);
  CHECK(outcome.out.find("signer of stable") != std::string::npos);
  CHECK(outcome.out.find(key().fingerprint() + " -> " + next.fingerprint()) != std::string::npos);
}

TEST_CASE_FIXTURE(RealArchive,
                  "a source is what a file of apt's says: deb822 or one line, Signed-By "
                  "a file, armoured or not, or a block") {
  publish(*this, "", "main", "", key());
  REQUIRE(write_file(at("key.asc"), key().armoured()).has_value());
  const std::string entry =
      "Types: deb deb-src\nURIs: URL/none URL/repo\nSuites: stable\n"
      "Components: main\nSigned-By:";
  const std::pair<const char*, std::string> files[] = {
      {"block.sources", entry + "\n" + indented(key().armoured(), " .\n")},
      {"armoured.sources", entry + " " + at("key.asc") + "\n"},
      {"binary.sources", entry + " " + key().keyring() + "\n"},
      {"line.list", "deb [signed-by=" + key().keyring() + "] URL/repo stable main\n"},
  };
  for (const auto& [name, text] : files) {
    const auto& shown = name;
    CAPTURE(shown);
    must("rm -f " + at("image.lock.json"));
    write_with_url(name, text);
    const auto outcome = lock("{apt: " + std::string(name) + "}", "--json");
    REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
    check_as_apt("deb [signed-by=" + key().keyring() + "] file:" + at("repo") + " stable main");
    CHECK(test::bytes_of(at("image.lock.json")).find("127.0.0.1") == std::string::npos);
  }
  write_with_url("open.sources", entry.substr(0, entry.find("Signed-By")));
  const auto open = lock("{apt: open.sources}", "--json");
  CHECK(open.status == 1);
  CHECK(open.out.find("open.sources: has no Signed-By") != std::string::npos);
  CHECK(lock("{apt: open.sources, keyring: key.asc}", "--json").status == 0);
  write_with_url("print.sources", entry + " " + key().fingerprint() + "\n");
  CHECK(lock("{apt: print.sources}", "--json").out.find("a fingerprint would be looked for") !=
        std::string::npos);
  write_with_url("odd.sources", "Types: deb\nURIs: URL/repo\nSuites: sta:ble\nComponents: main\n");
  CHECK(lock("{apt: odd.sources, keyring: key.asc}", "--json")
            .out.find("odd.sources: 'sta:ble' is not the name of a suite") != std::string::npos);
  CHECK(lock("{apt: none.sources}", "--json").out.find("none.sources") != std::string::npos);
}

TEST_CASE_FIXTURE(RealArchive, "the keys may stand in the manifest itself") {
  publish(*this, "", "main", "", key());
  const auto outcome =
      lock("\n  - suites: [stable]\n    keyring: |\n" + indented(key().armoured(), "\n"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  CHECK(locked().sources.at(0).signer == key().fingerprint());
}

TEST_CASE_FIXTURE(RealArchive,
                  "of this machine's apt, the entry that shares a key with the suite's "
                  "keyring is its mirror, before it was ever updated") {
  const ThrowAwayKey vendor;
  publish(*this, "debian", "main", "", key());
  publish(*this, "vendor", "main", "", vendor);
  must("mkdir -p " + at("apt/etc/sources.list.d"));
  const auto entry = [](const std::string& folder, const std::string& keyring) {
    return "Types: deb\nURIs: URL/repo/" + folder +
           "\nSuites: stable\nComponents: main\nSigned-By: " + keyring + "\n";
  };
  write_with_url("apt/etc/sources.list.d/a-vendor.sources", entry("vendor", vendor.keyring()));
  write_with_url("apt/etc/sources.list.d/debian.sources", entry("debian", key().keyring()));
  for (const auto* one : {&key(), &vendor}) {
    must("rm -f " + at("image.lock.json"));
    const auto outcome = lock("{suites: [stable], keyring: " + one->keyring() + "}", "--json");
    REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
    CHECK(locked().sources.at(0).signer == one->fingerprint());
  }
  const ThrowAwayKey stranger;
  const auto none = lock("{suites: [stable], keyring: " + stranger.keyring() + "}", "--json");
  CHECK(none.status == 1);
  CHECK(none.out.find("apt has no http, https, file or copy source for suite 'stable'") !=
        std::string::npos);
}

}  // namespace weir::builder
