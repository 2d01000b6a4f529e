// weir-builder boot-check as far as it goes without a machine, and verify --boot-checked-by, as a
// person runs them. Statements are signed by the stock minisign; tests/vm boots real releases.
#include <doctest/doctest.h>

#include "builder/boot_check/boot_spans.h"
#include "manifests/documents/boot_check_statement.h"
#include "tests/folders.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

struct Checked : Fixture {
  Checked() {
    (void)built();
    for (const char* who : {"lab", "bob"}) {
      run(std::string("minisign -G -W -p ") + who + ".pub -s " + who + ".key > /dev/null");
    }
  }
  [[nodiscard]] Digest digest() const {
    return Digest::of(as_bytes(read("store/releases/demo/release.json")));
  }
  /// What a node that is this release says of itself.
  [[nodiscard]] manifests::AttestedFacts facts() const {
    const auto release = *manifests::parse_release(read("store/releases/demo/release.json"));
    manifests::AttestedFacts out{
        release.lock_digest, release.kernel.release, release.kernel.build_id, {}, release.tools};
    for (const auto& each : release.modules) {
      if (!each.pinned) continue;
      out.modules.push_back({each.name, each.version, each.srcversion, each.build_id});
    }
    return out;
  }
  /// Puts a statement into the store, signed by this person's key.
  void state(const std::string& who, const Digest& about) const { state(who, about, facts()); }
  void state(const std::string& who, const Digest& about, manifests::AttestedFacts facts) const {
    const std::string folder = "store/statements/" + digest().hex();
    const manifests::BootCheckStatement statement{*ReleaseName::parse("demo"),
                                                  about,
                                                  UtcTime{1795305600},
                                                  "1",
                                                  "machine",
                                                  "peer",
                                                  std::move(facts),
                                                  {1, 1, 1, 1, 1, 1},
                                                  {{"first-handshake", 1}, {"first-data", 2}}};
    run("mkdir -p " + folder);
    write(folder + "/booted-x-" + who + ".json", print(statement));
    run("minisign -S -s " + who + ".key -m " + folder + "/booted-x-" + who + ".json > /dev/null");
  }
  [[nodiscard]] Outcome demand(const std::string& more) const {
    return builder("verify demo --store store --key k.pub " + more + " 2>&1");
  }
  void says(const Outcome& out, int status, const std::string& expected) const {
    CAPTURE(out.out);
    CHECK(WEXITSTATUS(out.status) == status);
    CHECK(out.out.find(expected) != std::string::npos);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Checked, "verify demands boot checks of m different keys") {
  const std::string by_lab = "--boot-checked-by 1 --checker lab.pub";
  says(demand(by_lab), 1, "release demo: was boot-checked by 0 of the 1 demanded");
  state("bob", digest());
  says(demand(by_lab), 1, "does not count: it is not one of those asked");
  state("lab", Digest::of(as_bytes("another release")));
  says(demand(by_lab), 1, "does not count: it is about another release (sha256:");
  manifests::AttestedFacts other = facts();
  other.kernel_release = "9.8";
  state("lab", digest(), other);
  says(demand(by_lab), 1, "does not count: the node that was booted reports kernel 9.8, but its");
  state("lab", digest());
  says(demand(by_lab), 0, "booted, and talked to by a WireGuard peer, by ");
  says(demand("--boot-checked-by 2 --checker lab.pub --checker bob.pub"), 0, "release demo");
  says(demand("--boot-checked-by 2 --checker lab.pub"), 1, "2 statements are demanded of 1");
  says(demand("--boot-checked-by 1"), 2, "go together");
  says(demand("--checker lab.pub"), 2, "go together");
  run("sed -i 's/\"machine\": \"m/\"machine\": \"n/' store/statements/*/booted-x-lab.json");
  says(demand(by_lab), 1, "does not count");
}

TEST_CASE_FIXTURE(Checked, "a trust's boot-check and rebuild roles are demanded by verify") {
  terms("version: 1");
  lock();
  REQUIRE(build("--json").status == 0);
  const auto trust = [&](const std::string& more) {
    run("rm -f t.json && minisign -G -f -W -p root.pub -s root.key > /dev/null && " +
        test::build_folder() +
        "/bin/weir-keys trust init --out t.json --expires 2099-01-01 --add root=root.pub --add "
        "release=k.pub " +
        more + " --sign root.key > /dev/null");
  };
  const auto verify = [&] { return builder("verify demo --store store --trust t.json 2>&1"); };
  trust("");
  says(verify(), 0, "is whole");
  trust("--add boot-check=lab.pub");
  says(verify(), 1, "was boot-checked by 0 of the 1 demanded");
  // Who is about to check it is not asked for the check.
  says(builder("boot-check demo --store store --trust t.json --plan 2>&1"), 0,
       "would boot release demo");
  state("lab", digest());
  says(verify(), 0, "talked to by a WireGuard peer");
  trust("--add boot-check=lab.pub --add rebuild=bob.pub");
  says(verify(), 1, "was rebuilt by 0 of the 1 demanded");
  REQUIRE(builder("rebuild demo --store store --cache cache --key bob.key").status == 0);
  says(verify(), 0, "rebuilt, bit by bit the same");
}

TEST_CASE_FIXTURE(Checked, "boot-check verifies first, and says at once that it needs root") {
  const auto check = [&](const std::string& more) {
    return builder("boot-check demo --store store " + more + " 2>&1");
  };
  says(check(""), 2, "who is trusted?");
  says(check("--key k.pub --sign-with a --pkcs11 b"), 2, "not both");
  says(check("--key k.pub --timeout 0"), 2, "--timeout");
  says(check("--key lab.pub --plan"), 1, "which is not trusted here");
  says(check("--key k.pub --plan --sign-with lab.key"), 0, "with lab.key, into store/statements/");
  says(check("--key k.pub --plan --memory 1GB"), 1, "--memory");
  says(check("--key k.pub --plan --memory 3"), 1, "--memory: 3 B cannot hold release demo");
  says(check("--key k.pub --plan --sign-with none.key"), 1, "none.key");
  if (::geteuid() == 0) {
    // Somebody who may read what this test wrote, and no more.
    run("chmod -R a+rX .");
    says(builder("boot-check demo --store store --key k.pub 2>&1",
                 "setpriv --reuid 65534 --clear-groups"),
         1, "needs root");
  } else {
    says(check("--key k.pub"), 1, "needs root");
  }
}

TEST_CASE("where the time went is said in words, and the pieces make up the whole") {
  const std::vector<manifests::BootStep> timeline = {{"machine-runs", 100},
                                                     {"kernel-starts", 1100},
                                                     {"something-new", 1500},
                                                     {"first-handshake", 9000},
                                                     {"first-data", 9050}};
  const auto spans = spans_to_handshake(timeline);
  REQUIRE(spans.size() == 4);
  CHECK(spans[1].milliseconds == 1000);
  CHECK(spans[2].what == "something-new");
  std::uint64_t sum = 0;
  for (const auto& span : spans) sum += span.milliseconds;
  CHECK(sum == time_of(timeline, "first-handshake"));
  CHECK(time_of(timeline, "no-such-step") == 0);
}

}  // namespace weir::builder
