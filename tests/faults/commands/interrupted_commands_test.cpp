// The builder's commands that write little, killed or on a full disk at each of their calls: what
// they wrote is the old or the new, and whole; a second run does the rest and leaves nothing
// behind.
#include <string>

#include "manifests/documents/boot_check_statement.h"
#include "manifests/documents/release.h"
#include "tests/faults/stored_fixture.h"
#include "tests/folders.h"

namespace weir::builder {
namespace {

/// A release that is signed on another machine.
struct Unsigned : Stored {
  Unsigned() {
    const auto made = builder("build image.yaml --unsigned --store store --cache cache");
    REQUIRE_MESSAGE(made.status == 0, made.out);
    run("minisign -S -s k.key -x r.minisig -m store/unsigned/demo/release.json");
  }
};

/// A trust, its keys, and a release that it accepts.
struct Trusted : Stored {
  Trusted() {
    run("minisign -G -W -p root.pub -s root.key > /dev/null");
    run(kKeys + "trust init --out t.json --expires 2099-01-01 --add root=root.pub --add " +
        "release=k.pub --sign root.key");
    version(5);
  }
  void version(int number) {
    terms("version: " + std::to_string(number));
    lock();
    (void)built();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Stored, "a release without a signature is there whole or not at all") {
  run("mv cache cache.kept && mkdir store.kept");
  const std::string command = kBuilder + "build image.yaml --unsigned --store store --cache cache";
  const std::string document = "store/unsigned/demo/release.json";
  const auto fresh = [&] {
    run("rm -rf store cache && cp -r cache.kept cache && rm -rf cache/layers");
  };
  fresh();
  again(command);
  const std::string reference = read(document);
  const test::Disturbed sampled{path(), 2};
  sampled.everywhere(fresh, command, [&](bool done) {
    const auto now = content(document);
    CHECK((now == reference || (!done && !now)));
    again(command);
    CHECK(read(document) == reference);
    check_blobs();
    // What is waiting can be signed and is whole.
    run("minisign -S -s k.key -x r.minisig -m " + document);
    run("cp -r store signed");
    again(kBuilder + "attach-signature demo --store signed --key k.pub --signature r.minisig");
    again(kBuilder + "verify demo --store signed --key k.pub");
    run("rm -r signed r.minisig");
  });
}

TEST_CASE_FIXTURE(Unsigned, "a signature that is attached counts or does not, and never half") {
  keep();
  const std::string verify = "verify demo --store store --key k.pub",
                    command =
                        "attach-signature demo --store store --key k.pub --signature r.minisig";
  disturbed.everywhere(prepare(), kBuilder + command, [&](bool done) {
    const bool there = fs::exists(path() + "/store/releases/demo");
    CHECK((there || !done));
    if (there) CHECK(builder(verify).status == 0);
    CHECK(builder("list --store store").status == 0);
    const auto again = builder(command + " 2>&1");
    const bool signed_before =
        again.out.find("has signed release demo already") != std::string::npos;
    CHECK_MESSAGE((again.status == 0 || signed_before), again.out);
    CHECK(builder(verify).status == 0);
    CHECK_FALSE(fs::exists(path() + "/store/unsigned/demo/release.json"));
    check_blobs();
    run("skopeo inspect --raw oci:store:demo > /dev/null");
  });
}

TEST_CASE_FIXTURE(Unsigned, "what another machine has to sign is there whole or not at all") {
  keep();
  const std::string command = kBuilder + "export-digest demo --store store --out out";
  replaces(prepare(), command, "out.digest");
  replaces(prepare(), command, "out.comment");
}

TEST_CASE_FIXTURE(Unsigned, "a provenance that is disturbed is there whole or not at all") {
  again(kBuilder + "attach-signature demo --store store --key k.pub --signature r.minisig");
  keep();
  const std::string verify = "verify demo --store store --key k.pub",
                    command = "attest demo --store store --key k.key";
  disturbed.everywhere(prepare(), kBuilder + command, [&](bool done) {
    CHECK(builder(verify).status == 0);
    const auto before = builder(verify + " --provenance 2>&1");
    const bool absent = before.out.find("has no provenance") != std::string::npos;
    CHECK_MESSAGE((before.status == 0 || (absent && !done)), before.out);
    check_blobs();
    again(kBuilder + command);
    again(kBuilder + verify + " --provenance");
    check_blobs();
  });

  const std::string of_it = " demo --store store --key k.pub --out out ";
  prepare()();
  again(kBuilder + command);
  run("rm -r store.kept");
  keep();
  for (const std::string document :
       {"sbom --format spdx", "sbom --format cyclonedx", "provenance --envelope", "provenance"}) {
    CAPTURE(document);
    const std::string line = kBuilder + document.substr(0, document.find(' ')) + of_it +
                             document.substr(std::min(document.find(' '), document.size()));
    replaces(prepare(), line, "out");
    replaces(
        [&] {
          prepare()();
          write("out", "what was there");
        },
        line, "out");
  }
}

TEST_CASE_FIXTURE(Trusted, "what a verifier remembers is the old or the new, and never less") {
  again(kBuilder + "verify demo --store store --trust t.json --state s");
  run("mv s s.older");
  again(kBuilder + "provenance demo --store store --trust t.json --state p >/dev/null");
  const auto trust_alone = content("p");
  version(6);
  keep();
  for (const bool first : {false, true}) {
    CAPTURE(first);
    const auto before = [&] {
      prepare()();
      run(first ? "rm -f s s.lock" : "cp s.older s");
    };
    const std::string verify = kBuilder + "verify demo --store store --trust t.json --state s";
    before();
    const auto older = content("s");
    again(verify);
    const auto newer = content("s");
    disturbed.everywhere(before, verify, [&](bool done) {
      // The trust is remembered first.
      const auto now = content("s");
      CHECK((now == newer || (!done && (now == older || (first && now == trust_alone)))));
      again(verify);
      CHECK(content("s") == newer);
    });
  }
}

TEST_CASE_FIXTURE(Stored, "a release that changes while it is made again is not the verified one") {
  (void)built();
  run("minisign -G -W -p ann.pub -s ann.key > /dev/null");
  const std::string genuine = run("sha256sum < store/releases/demo/release.json").substr(0, 64);
  // It has been verified once something is made of it.
  bool changed = false;
  const auto ended = test::supervise(
      path(), kBuilder + "rebuild demo --store store --cache cache --signer k.pub --key ann.key",
      [&](const test::Call& call) {
        if (!changed && call.path.find("/rebuild.unfinished.") != std::string::npos) {
          changed = true;
          run("cd store/releases/demo && sed -i s/quiet/quieT/ release.json");
        }
        return test::Verdict::goes_on;
      });
  CHECK(changed);
  CHECK_MESSAGE(ended.status == 0, ended.err);
  CHECK(ended.out.find("is bit-identical") != std::string::npos);
  CHECK(run("ls store/statements") == genuine + "\n");
  CHECK(run("grep -l " + genuine + " store/statements/*/*.json | wc -l") == "1\n");
}

TEST_CASE_FIXTURE(Stored, "a statement of a boot check counts or does not, and never half") {
  (void)built();
  // In place of the program that boots: one that says that it did.
  const std::string document = read("store/releases/demo/release.json");
  const manifests::Release release = *manifests::parse_release(document);
  manifests::BootCheckStatement statement{
      release.name,
      Digest::of(as_bytes(document)),
      UtcTime{1795305600},
      "1",
      "machine",
      "peer",
      {release.lock_digest, release.kernel.release, release.kernel.build_id, {}, release.tools},
      {1, 1, 1, 1, 1, 1},
      {{"first-handshake", 1}, {"first-data", 2}}};
  for (const auto& module : release.modules) {
    statement.facts.modules.push_back(
        {module.name, module.version, module.srcversion, module.build_id});
  }
  write("programs/statement", print(statement));
  write("programs/weir-boot-check", "#!/bin/sh\nexec cat \"$(dirname \"$0\")/statement\"\n");
  run("chmod +x programs/weir-boot-check && cp " + test::build_folder() +
      "/bin/weir-builder programs");
  keep();
  const std::string command =
      std::string(::geteuid() == 0 ? "" : "unshare -r ") +
      "programs/weir-builder boot-check demo --store store --key k.pub --sign-with k.key";
  const std::string demand =
      "verify demo --store store --key k.pub --boot-checked-by 1 --checker k.pub";
  disturbed.everywhere(prepare(), command, [&](bool done) {
    CHECK(WEXITSTATUS(builder(demand).status) <= (done ? 0 : 1));
    CHECK(builder("verify demo --store store --key k.pub").status == 0);
    again(command);
    CHECK(builder(demand).status == 0);
  });
}

}  // namespace weir::builder
