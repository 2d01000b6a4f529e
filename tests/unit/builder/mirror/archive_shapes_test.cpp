// Archives of every shape, made by the tools that people make them with: what weir-builder locks is
// what apt-get would install from the same one.
#include <doctest/doctest.h>

#include "tests/text.h"
#include "tests/unit/builder/mirror/real_archive.h"

namespace weir::builder {
namespace {

using test::must;

// Packs repo/FOLDER/Packages. The plain one stays listed in Release, as apt demands, and goes.
void pack_and_list(const RealArchive& archive, const std::string& folder, const std::string& pack,
                   const std::string& dist, const std::string& fields) {
  const std::string repo = "cd " + archive.at("repo") + " && ";
  if (!pack.empty()) must(repo + pack + " " + folder + "Packages");
  must(repo + "apt-ftparchive " + fields + " release ./" + dist +
       " > ../Release && mv ../Release ./" + dist + "Release");
  if (!pack.empty()) must(repo + "rm " + folder + "Packages");
}

// The flat archive repo/FOLDER by dpkg-scanpackages.
void scan(const RealArchive& archive, const std::string& folder, const std::string& pack) {
  must("cd " + archive.at("repo") + " && mkdir -p ./" + folder + " && cp ../debs/*.deb ./" +
       folder + " && dpkg-scanpackages --multiversion ./" + folder +
       " 2>/dev/null > ../Packages && "
       "mv ../Packages ./" +
       folder + "Packages");
  pack_and_list(archive, folder, pack, folder, "");
}

// The archive dists/SUITE/COMPONENT of all packages by apt-ftparchive, whose pool is pool/.
void publish(const RealArchive& archive, const std::string& suite, const std::string& component,
             const std::string& pack, const std::string& fields = "",
             const std::string& digests = "") {
  const std::string dist = "dists/" + suite + "/", folder = dist + component + "/binary-amd64/";
  must("cd " + archive.at("repo") + " && mkdir -p pool " + folder +
       " && cp ../debs/*.deb pool && "
       "apt-ftparchive " +
       digests + " packages pool > " + folder + "Packages");
  pack_and_list(archive, folder, pack, dist, fields);
}

constexpr const char* kNamed =
    "-o APT::FTPArchive::Release::Suite=stable -o APT::FTPArchive::Release::Codename=demo "
    "-o APT::FTPArchive::Release::Components=main -o APT::FTPArchive::Release::Architectures=amd64";

std::string trusting(const RealArchive& archive, const std::string& suites,
                     const std::string& more = "") {
  return "{suites: " + suites + ", keyring: " + archive.key().keyring() + more + "}";
}

std::string apt_line(const RealArchive& archive, const std::string& suite) {
  return "deb [signed-by=" + archive.key().keyring() + "] file:" + archive.at("repo") + " " + suite;
}

}  // namespace

TEST_CASE_FIXTURE(RealArchive,
                  "a flat archive of dpkg-scanpackages, gzip and Release.gpg, is "
                  "locked as apt-get takes it") {
  scan(*this, "", "gzip -k");
  sign("", key(), false);
  for (const char* suite : {"./", "/"}) {
    CAPTURE(suite);
    must("rm -f " + at("image.lock.json"));
    const auto outcome = lock(trusting(*this, "[" + std::string(suite) + "]"));
    REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
    CHECK(outcome.out.find("note:") == std::string::npos);
    check_as_apt(apt_line(*this, suite));
    REQUIRE(locked().sources.size() == 1);
    CHECK(locked().sources[0].signature_digest ==
          Digest::of(as_bytes(test::bytes_of(at("repo/Release.gpg")))));
    CHECK(locked().sources[0].inrelease_digest ==
          Digest::of(as_bytes(test::bytes_of(at("repo/Release")))));
  }
}

TEST_CASE_FIXTURE(RealArchive,
                  "a flat archive in a folder, with InRelease, is locked as apt-get "
                  "takes it") {
  scan(*this, "deb/any/", "bzip2 -k");
  sign("deb/any/", key(), true);
  const auto outcome = lock(trusting(*this, "[deb/any/]"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  check_as_apt(apt_line(*this, "deb/any/"));
}

TEST_CASE_FIXTURE(RealArchive,
                  "an archive of apt-ftparchive is locked as apt-get takes it, "
                  "however its indices are packed") {
  for (const char* pack : {"xz -k", "gzip -k", "bzip2 -k", "zstd -q", "xz -k --format=lzma", ""}) {
    CAPTURE(pack);
    must("rm -rf " + at("repo") + " " + at("image.lock.json") + " && mkdir " + at("repo"));
    publish(*this, "demo", "main", pack, kNamed);
    sign("dists/demo/", key(), true);
    const auto outcome = lock(trusting(*this, "[demo]"));
    REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
    CHECK(outcome.out.find("note:") == std::string::npos);
    check_as_apt(apt_line(*this, "demo main"));
  }
}

TEST_CASE_FIXTURE(RealArchive,
                  "a suite and a component with a slash are locked as apt-get takes "
                  "them") {
  publish(*this, "demo/updates", "contrib/extra", "xz -k", kNamed);
  sign("dists/demo/updates/", key(), true);
  const auto outcome = lock(trusting(*this, "[demo/updates]", ", components: [contrib/extra]"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  check_as_apt(apt_line(*this, "demo/updates contrib/extra"));
}

TEST_CASE_FIXTURE(RealArchive, "an archive of reprepro is locked as apt-get takes it") {
  must("mkdir " + at("repo/conf"));
  REQUIRE(write_file(at("repo/conf/distributions"),
                     "Codename: demo\nSuite: stable\nComponents: main extra\nArchitectures: amd64\n"
                     "SignWith: " +
                         key().fingerprint() + "\nDescription: fixture\n")
              .has_value());
  // reprepro keeps one version of a package.
  must("rm " + at("debs/libx_1.0_all.deb"));
  must("GNUPGHOME=" + key().home() + " reprepro -s -b " + at("repo") + " includedeb demo " +
       at("debs") + "/*.deb");
  const auto outcome = lock(trusting(*this, "[demo]", ", components: [main, extra]"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  CHECK(outcome.out.find("note:") == std::string::npos);
  check_as_apt(apt_line(*this, "demo main extra"));
}

TEST_CASE_FIXTURE(RealArchive,
                  "an archive of aptly, fetched by hash alone, is locked as apt-get "
                  "takes it") {
  REQUIRE(write_file(at("aptly.conf"),
                     "{\"rootDir\": \"" + at("aptly") + "\", \"gpgProvider\": \"gpg2\"}")
              .has_value());
  const std::string aptly =
      "GNUPGHOME=" + key().home() + " aptly -config=" + at("aptly.conf") + " ";
  must(aptly + "repo create -distribution=demo -component=main fixture");
  must(aptly + "repo add fixture " + at("debs"));
  must(aptly + "publish repo -batch -acquire-by-hash -gpg-key=" + key().fingerprint() +
       " -architectures=amd64 fixture");
  must("rmdir " + at("repo") + " && mv " + at("aptly/public") + " " + at("repo"));
  const auto outcome = lock(trusting(*this, "[demo]"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  check_as_apt(apt_line(*this, "demo main"));
  const manifests::Lock named = locked();
  must("rm " + at("repo/dists/demo/main/binary-amd64") + "/Packages* && rm -r " + at("cache"));
  const auto again = lock(trusting(*this, "[demo]"));
  REQUIRE_MESSAGE(again.status == 0, again.out);
  CHECK(locked() == named);
}

TEST_CASE_FIXTURE(RealArchive,
                  "indices that are listed by SHA-512 alone are locked as apt-get takes them, and "
                  "held to them again") {
  publish(*this, "demo", "main", "xz -k",
          std::string(kNamed) +
              " -o APT::FTPArchive::Release::MD5=no -o APT::FTPArchive::Release::SHA1=no "
              "-o APT::FTPArchive::Release::SHA256=no");
  sign("dists/demo/", key(), true);
  const auto outcome = lock(trusting(*this, "[demo]"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  check_as_apt(apt_line(*this, "demo main"));
  must("rm -r " + at("cache/indexed"));
  const std::string plan =
      "build " + at("image.yaml") + " --unsigned --plan --require-index --store " + at("store");
  const auto held = weir_builder(plan);
  CHECK_MESSAGE(held.status == 0, held.out);
  must("rm -r " + at("cache/sha512"));
  const auto gone = weir_builder(plan);
  CHECK(gone.status == 1);
  CHECK(gone.out.find("main/binary-amd64/Packages.xz is not in the cache") != std::string::npos);
}

TEST_CASE_FIXTURE(
    RealArchive,
    "packages that SHA-512 alone is to be trusted of are locked as apt-get takes them, and "
    "held to that again") {
  publish(*this, "demo", "main", "xz -k", kNamed,
          "-o APT::FTPArchive::Packages::SHA1=no -o APT::FTPArchive::Packages::SHA256=no");
  must("! grep -q SHA256 " + at("repo/dists/demo/main/binary-amd64/Packages"));
  sign("dists/demo/", key(), true);
  const auto outcome = lock(trusting(*this, "[demo]"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  check_as_apt(apt_line(*this, "demo main"));
  for (const auto& package : locked().packages) {
    CAPTURE(package.name);
    CHECK(package.digest.hex() == test::output_of("sha256sum < " + at("repo/" + package.path) +
                                                  " | cut -c1-64 | tr -d '\\n'"));
  }
  must("rm -r " + at("cache/indexed"));
  const std::string plan =
      "build " + at("image.yaml") + " --unsigned --plan --require-index --store " + at("store");
  const auto held = weir_builder(plan);
  CHECK_MESSAGE(held.status == 0, held.out);
  must("rm -r " + at("cache/sha512"));
  const auto unknown = weir_builder(plan);
  CHECK(unknown.status == 1);
  CHECK(test::has(unknown.out, "is listed by SHA-512 alone, and was not fetched by that here"));

  // Other bytes than the index promises.
  must("rm -r " + at("cache") + " " + at("image.lock.json"));
  must("for f in " + at("repo/pool") +
       "/*.deb; do printf x | dd of=$f bs=1 seek=200 conv=notrunc "
       "status=none; done");
  const auto damaged = lock(trusting(*this, "[demo]"));
  CHECK(damaged.status == 1);
  CHECK(test::has(damaged.out, "the mirror serves other bytes than its signed index says"));
}

TEST_CASE_FIXTURE(RealArchive, "a suite that calls itself otherwise is locked with a note") {
  publish(*this, "other", "main", "xz -k", kNamed);
  sign("dists/other/", key(), true);
  const auto outcome = lock(trusting(*this, "[other]"));
  REQUIRE_MESSAGE(outcome.status == 0, outcome.out);
  CHECK(outcome.out.find("note: suite other: InRelease calls itself demo (stable)") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(RealArchive,
                  "an archive with digests of SHA-1 and MD5 only is refused with the "
                  "reason, as apt-get refuses it") {
  publish(*this, "demo", "main", "xz -k",
          std::string(kNamed) +
              " -o APT::FTPArchive::Release::SHA256=no "
              "-o APT::FTPArchive::Release::SHA512=no");
  sign("dists/demo/", key(), true);
  const auto outcome = lock(trusting(*this, "[demo]"));
  CHECK(outcome.status == 1);
  CHECK(outcome.out.find("lists its files by MD5 or SHA-1 only") != std::string::npos);
  int status = 0;
  test::output_of(apt_of(apt_line(*this, "demo main")) + "-qq update", &status);
  CHECK(status != 0);
}

TEST_CASE_FIXTURE(RealArchive, "an archive that is not signed is refused") {
  publish(*this, "demo", "main", "xz -k", kNamed);
  const auto outcome = lock(trusting(*this, "[demo]"));
  CHECK(outcome.status == 1);
  CHECK(outcome.out.find("its Release is not signed: the archive has neither") !=
        std::string::npos);
}

}  // namespace weir::builder
