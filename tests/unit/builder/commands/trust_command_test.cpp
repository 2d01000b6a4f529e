// Releases held to a trust, and signed on another machine, as a person does it: keys and some
// signatures by the stock minisign and openssl.
#include <doctest/doctest.h>

#include "builder/release/edge/trusted.h"
#include "images/store/folder/edge/folder_store.h"
#include "trusted_fixture.h"

namespace weir::builder {

TEST_CASE("a release is verified offline with one trust file, and its signer can be revoked") {
  Trusted office;
  office.make();
  const auto release = office.release();
  CHECK(release.at("version") == 5);
  CHECK(release.at("channel") == "stable");
  CHECK(release.at("expires") == "2033-11-11T22:13:20Z");  // date -u -d @$((1700000000+3650*86400))
  office.run("minisign -V -p k.pub -m store/releases/demo/release.json > /dev/null");
  const auto good = office.verify();
  CHECK_MESSAGE(good.status == 0, good.out);

  office.keys(
      "trust change t.json --revoke 'k.pub=laptop stolen' --add release=k2.pub --sign "
      "root.key --out t2.json");
  const auto revoked = office.verify("--state s", "t2.json");
  CHECK(revoked.status != 0);
  CHECK(has(revoked,
            "(k) signed it, but that key was revoked: laptop stolen; let a key that still "
            "counts sign it"));
  CHECK(has(office.verify("--channel beta"), "has no channel 'beta'"));
  CHECK(office.builder("verify demo --store store 2>&1").status != 0);
  CHECK(office.builder("verify demo --store store --key k.pub --trust t.json 2>&1").status != 0);
}

TEST_CASE("an expired release is refused, by keys and by a trust") {
  Trusted office;
  office.manifest.resize(office.manifest.find("release: "));
  office.manifest += "release: {version: 5, valid_for: 1d}\n";
  office.lock();
  office.make();
  for (const char* trusted : {"--key k.pub", "--trust t.json --state s"}) {
    const auto refused = office.builder("verify demo --store store 2>&1 " + std::string(trusted));
    CHECK(WEXITSTATUS(refused.status) == 1);
    CHECK_MESSAGE(has(refused, "release demo: expired at 2023-11-15T22:13:20Z"), refused.out);
  }
}

TEST_CASE("a newer trust is remembered although its release is refused: revoked signers stay out") {
  Trusted office;
  office.make();
  REQUIRE(office.verify().status == 0);
  office.keys(
      "trust change t.json --revoke 'k.pub=laptop stolen' --add release=k2.pub --sign "
      "root.key --out t2.json");
  // Whoever has the stolen key shows the new trust with a release that it refuses, then the old
  // one.
  for (const char* command :
       {"verify demo", "export demo --format kernel --out x", "provenance demo",
        "sbom demo --format spdx", "rebuild demo --cache cache"}) {
    CAPTURE(command);
    office.run("rm -f n n.lock");
    const std::string with = std::string(command) + " --store store --state n --trust ";
    CHECK(has(office.builder(with + "t2.json 2>&1"), "that key was revoked: laptop stolen"));
    CHECK(nlohmann::json::parse(office.read("n")).at("trust").at("version") == 2);
    const auto old = office.builder(with + "t.json 2>&1");
    CHECK(WEXITSTATUS(old.status) == 1);
    CHECK_MESSAGE(has(old, "version 2 was accepted here before: somebody brings back an old trust"),
                  old.out);
  }
}

TEST_CASE("a lost state is refused, and a pinned trust is no other one") {
  Trusted office;
  office.make();
  REQUIRE(office.verify().status == 0);
  office.run("rm s");
  const auto lost = office.verify();
  CHECK(WEXITSTATUS(lost.status) == 1);
  CHECK_MESSAGE(has(lost, "s: is missing, and s.lock shows that it was there"), lost.out);
  CHECK(office.verify("--state s --first-use").status == 0);
  CHECK(office.verify().status == 0);
  const auto digest = "sha256:" + std::string(64, '0');
  CHECK(has(office.verify("--state other --pin " + digest), "this is the trust of another fleet"));
}

TEST_CASE("what is malformed beside good signatures and statements does no harm") {
  Trusted office;
  office.make();
  const std::string digest =
      Digest::of(as_bytes(office.read("store/releases/demo/release.json"))).hex();
  office.run("mkdir -p store/signatures/" + digest + " store/statements/" + digest);
  office.run("cd store/signatures/" + digest +
             " && echo nonsense > 0000000000000000.minisig && : > 1.minisig && mkdir 2.minisig && "
             "head -c 70000 /dev/zero > 3.minisig && ln -s nowhere 4.minisig");
  office.run("cd store/statements/" + digest +
             " && echo '{' > booted-1-2.json && echo x > booted-1-2.json.minisig && "
             "head -c 70000 /dev/zero > booted-3-4.json && mkdir booted-5-6.json");
  for (const char* trusted : {"--key k.pub", "--trust t.json --state s"}) {
    const auto good = office.builder("verify demo --store store 2>&1 " + std::string(trusted));
    CHECK_MESSAGE(good.status == 0, good.out);
  }
  // Nor one in the first place, where a good one is beside it.
  office.run(
      "mv store/releases/demo/release.json.minisig store/signatures/" + digest +
      "/0000000000000000.minisig && echo nonsense > store/releases/demo/release.json.minisig");
  for (const char* trusted : {"--key k.pub", "--trust t.json --state s"}) {
    const auto good = office.builder("verify demo --store store 2>&1 " + std::string(trusted));
    CHECK_MESSAGE(good.status == 0, good.out);
  }
}

TEST_CASE("a rolled-back release is refused with a sentence for a newcomer") {
  Trusted office;
  office.make();
  office.run("cp -r store old");
  office.version(6);
  office.make();
  REQUIRE(office.verify().status == 0);
  office.run("rm -r store && mv old store");
  const auto old = office.verify();
  CHECK(old.status != 0);
  CHECK_MESSAGE(has(old,
                    "release demo: is version 5 of channel stable, but version 6 (release "
                    "demo) was accepted here before: an old release"),
                old.out);
  CHECK(office.verify("").status == 0);  // nobody remembers
  // A blob that is not what the release says.
  office.run("echo x >> " + office.blob(office.release().at("kernel").at("image")));
  CHECK(has(office.verify(""), "kernel"));
}

TEST_CASE("of two verifications at once, the older does not undo what the newer remembered") {
  Trusted office;
  office.make();
  office.run("cp -r store old");
  office.version(6);
  office.make();
  const std::string state = office.path() + "/s";
  const auto verified = [&](const std::string& store) {
    return verify_stored(
        *images::FolderStore::open(office.path() + store), *ReleaseName::parse("demo"),
        {*keys::believe(*keys::read_trusted_file(office.path() + "/t.json",
                                                 *manifests::ChannelName::parse("stable")),
                        {state})});
  };
  const auto older = verified("/old"), newer = verified("/store");
  REQUIRE(older.has_value());
  REQUIRE(newer.has_value());
  REQUIRE(remember_accepted(*newer).has_value());
  const auto refused = remember_accepted(*older);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find(
            "release demo: is version 5 of channel stable, but version 6 (release demo) was") !=
        std::string::npos);
  CHECK(remember_accepted(*newer).has_value());
  CHECK_FALSE(verified("/old").has_value());
}

TEST_CASE("a release in another's place is refused, by keys and by a trust") {
  Trusted office;
  office.make();
  office.run("cp -r store/releases/demo store/releases/other");
  for (const char* trusted : {"--key k.pub", "--trust t.json --state s"}) {
    CAPTURE(trusted);
    const auto refused = office.builder("verify other --store store 2>&1 " + std::string(trusted));
    CHECK(WEXITSTATUS(refused.status) == 1);
    CHECK_MESSAGE(has(refused, "release other: the signed document is of release 'demo'"),
                  refused.out);
    CHECK(office.builder("verify demo --store store 2>&1 " + std::string(trusted)).status == 0);
    office.run("rm -f s s.lock");
  }
}

TEST_CASE("two images of one age follow each other in both orders, and a fix of one is newer") {
  Trusted office;
  office.terms("channel: stable");
  const auto locked_as = [&](const std::string& name) {
    office.manifest.replace(0, office.manifest.find('\n'), "name: " + name);
    office.release_name = name;
    office.run("rm -f image.lock.json");  // each manifest has a lock of its own
    office.lock();
    office.make();
  };
  const auto verify = [&](const std::string& name) {
    return office.builder("verify " + name + " --store store --trust t.json --state s 2>&1");
  };
  locked_as("old-line");
  locked_as("new-line");
  for (const char* name : {"old-line", "new-line", "old-line"}) {
    const auto accepted = verify(name);
    CHECK_MESSAGE(accepted.status == 0, accepted.out);
  }
  // A fix of the manifest, with the same packages.
  office.manifest.replace(office.manifest.find("quiet"), 5, "quieT");
  office.lock();
  office.make();
  CHECK(verify("new-line").status == 0);
  const auto old = verify("old-line");
  CHECK(old.status != 0);
  CHECK_MESSAGE(has(old,
                    "is version 1700000000 of channel stable, but version 1700000001 (release "
                    "new-line) was accepted here before"),
                old.out);
}

TEST_CASE("what is refused leaves no mark but the trust: its release is remembered last") {
  Trusted office;
  office.run("minisign -G -W -p ann.pub -s ann.key > /dev/null");
  office.make();
  const auto no_release_in = [&](const char* state) {
    const auto seen = nlohmann::json::parse(office.read(state));
    return seen.at("trust").at("version") == 1 && seen.at("channels").empty();
  };
  for (const char* demand :
       {"--rebuilt-by 1 --rebuilder ann.pub", "--boot-checked-by 1 --checker ann.pub"}) {
    CHECK(office.verify("--state r " + std::string(demand)).status != 0);
    CHECK(no_release_in("r"));
  }
  office.run("mv store/attestations away");
  CHECK(office.verify("--state r --provenance").status != 0);
  CHECK(no_release_in("r"));
  office.run("mv away store/attestations");
  const std::string trust = "demo --store store --trust t.json --state s ";
  for (const std::string& plan :
       {"boot-check " + trust + "--plan", "export " + trust + "--format kernel --out x --plan",
        "rebuild " + trust + "--cache cache --plan"}) {
    const auto planned = office.builder(plan + " 2>&1");
    CHECK_MESSAGE(planned.status == 0, planned.out);
    CHECK_FALSE(fs::exists(office.path() + "/s"));
  }
  REQUIRE(office.builder("provenance demo --store store --trust t.json --state p").status == 0);
  CHECK(no_release_in("p"));
  CHECK(office.verify("--state s --provenance").status == 0);
  CHECK(nlohmann::json::parse(office.read("s"))
            .at("channels")
            .at(0)
            .at("versions")
            .at(0)
            .at("version") == 5);
}

TEST_CASE("all that read a release hold it to a trust, and know what was seen") {
  Trusted office;
  office.make();
  office.run("cp -r store old");
  office.version(6);
  office.make();
  const std::string trust = " --trust t.json --state s 2>&1";
  const auto out = office.builder("export demo --store store --format kernel --out one" + trust);
  CHECK_MESSAGE(out.status == 0, out.out);
  CHECK(nlohmann::json::parse(office.read("s"))
            .at("channels")
            .at(0)
            .at("versions")
            .at(0)
            .at("version") == 6);
  for (const char* command : {"export demo --format kernel --out two", "provenance demo",
                              "rebuild demo --cache cache", "verify demo"}) {
    const auto refused = office.builder(std::string(command) + " --store old" + trust);
    CAPTURE(command);
    CHECK(WEXITSTATUS(refused.status) == 1);
    CHECK_MESSAGE(has(refused, "an old release"), refused.out);
  }
  CHECK_FALSE(fs::exists(office.path() + "/two"));
  for (const char* command : {"provenance demo --store store", "verify demo --store store",
                              "rebuild demo --cache cache --store store"}) {
    const auto good = office.builder(command + trust);
    CHECK_MESSAGE(good.status == 0, good.out);
  }
}

TEST_CASE("--state without a trust is a mistake, and a trust without --state is told of") {
  Trusted office;
  office.make();
  for (const char* command :
       {"verify demo --key k.pub", "export demo --format kernel --out x --key k.pub",
        "provenance demo --key k.pub", "boot-check demo --plan --key k.pub",
        "rebuild demo --signer k.pub", "rebuild demo"}) {
    CAPTURE(command);
    const auto refused = office.builder(std::string(command) + " --store store --state s 2>&1");
    CHECK(WEXITSTATUS(refused.status) == 2);
    CHECK_MESSAGE(has(refused, "--state remembers what a trust accepted"), refused.out);
  }
  CHECK(WEXITSTATUS(office.builder("rebuild demo --store store --signer k.pub --trust t.json 2>&1")
                        .status) == 2);
  CHECK(WEXITSTATUS(
            office.builder("export demo --store store --format kernel --out x 2>&1").status) == 2);
  const auto note = office.builder("verify demo --store store --trust t.json 2>&1 > /dev/null");
  CHECK(note.status == 0);
  CHECK(note.out ==
        "weir-builder verify: without --state FILE, an old release that is brought back is not "
        "noticed\n");
  const std::string by_state =
      "verify demo --store store --trust t.json --state s 2>&1 > /dev/null";
  CHECK(has(office.builder(by_state), "s: is not there, so this is its first use"));
  CHECK(office.builder(by_state).out == "");
  for (const char* misused : {"--key k.pub --pin sha256:00", "--trust t.json --first-use",
                              "--key k.pub --channel lab", "--key k.pub --channel stable"}) {
    CHECK(WEXITSTATUS(office.builder("verify demo --store store " + std::string(misused)).status) ==
          2);
  }
  CHECK(office.builder("verify demo --store store --key k.pub 2>&1 > /dev/null").out == "");
}

TEST_CASE("a provenance takes as many release keys as a release does") {
  Trusted office;
  office.keys("trust change t.json --add release=k2.pub --threshold release=2 --sign root.key");
  office.make();
  office.run("minisign -S -s k2.key -x second -m store/releases/demo/release.json > /dev/null");
  REQUIRE(office.builder("attach-signature demo --store store --key k2.pub --signature second")
              .status == 0);
  CHECK(office.verify().status == 0);
  const auto one = office.verify("--state s --provenance");
  CHECK(one.status != 0);
  CHECK_MESSAGE(has(one, "provenance: signed by 1 of the 2 keys it takes"), one.out);
  const std::string provenance = "provenance demo --store store --trust t.json --state s 2>&1";
  CHECK(has(office.builder(provenance), "signed by 1 of the 2 keys it takes"));
  REQUIRE(office.builder("attest demo --store store --key k2.key --release-key k.pub").status == 0);
  const auto both = office.verify("--state s --provenance");
  CHECK_MESSAGE(both.status == 0, both.out);
  CHECK(has(office.builder(provenance), "https://slsa.dev/provenance/v1"));
}

TEST_CASE("a version that was signed is not signed again for something else") {
  Trusted office;
  office.make();
  const std::string before = office.read("store/releases/demo/release.json");
  office.manifest.replace(office.manifest.find("quiet"), 5, "quieT");
  office.lock();  // the manifest states version 5, whatever changes
  for (const char* how : {"--key k.key", "--unsigned"}) {
    const auto refused =
        office.builder("build image.yaml --store store --cache cache 2>&1 " + std::string(how));
    CHECK(WEXITSTATUS(refused.status) == 1);
    CHECK_MESSAGE(has(refused, "release demo: version 5 of channel stable is another document"),
                  refused.out);
  }
  CHECK(office.read("store/releases/demo/release.json") == before);
  CHECK_FALSE(fs::exists(office.path() + "/store/unsigned"));
  REQUIRE(office.build("--replace").status == 0);
  CHECK(office.read("store/releases/demo/release.json") != before);
  REQUIRE(office.build().status == 0);  // the same again
  office.version(6);
  office.make();
  CHECK(office.release().at("version") == 6);
}

TEST_CASE("a release is made without a key, signed by openssl on another machine, and accepted") {
  Trusted office;
  const auto made = office.builder("build image.yaml --unsigned --store store --cache cache 2>&1");
  REQUIRE_MESSAGE(made.status == 0, made.out);
  CHECK(has(made, "not signed yet"));
  CHECK_FALSE(fs::exists(office.path() + "/store/releases/demo"));
  CHECK(office.verify("").status != 0);
  REQUIRE(office.builder("export-digest demo --store store --out usb").status == 0);
  // BLAKE2b-512 as coreutils computes it.
  office.run(
      "b2sum store/unsigned/demo/release.json | head -c 128 > want && od -An -v -tx1 "
      "usb.digest | tr -d ' \n' | cmp - want");
  // The other machine: an openssl key that minisign never saw.
  office.run(
      "openssl genpkey -algorithm ed25519 -out o.pem && "
      "openssl pkeyutl -sign -inkey o.pem -rawin -in usb.digest -out usb.sig && "
      "cat usb.sig usb.comment > both && "
      "openssl pkeyutl -sign -inkey o.pem -rawin -in both -out usb.comment.sig && "
      "(echo 'untrusted comment: openssl'; (printf Ed12345678; openssl pkey -in o.pem "
      "-pubout -outform DER | tail -c 32) | base64 -w0; echo) > o.pub");
  CHECK(has(office.builder("attach-signature demo --store store --key k.pub --raw usb 2>&1"),
            "does not fit these bytes"));
  const auto attached =
      office.builder("attach-signature demo --store store --key o.pub --raw usb 2>&1");
  REQUIRE_MESSAGE(attached.status == 0, attached.out);
  office.run("minisign -V -p o.pub -m store/releases/demo/release.json > /dev/null");
  CHECK_FALSE(fs::exists(office.path() + "/store/unsigned/demo"));
  CHECK(office.builder("verify demo --store store --key o.pub").status == 0);
}

TEST_CASE("where two must sign, the second signature is attached to the stored release") {
  Trusted office;
  office.keys("trust change t.json --add release=k2.pub --threshold release=2 --sign root.key");
  office.make();
  CHECK(has(office.verify(), "signed by 1 of the 2 keys it takes"));
  REQUIRE(office.builder("export-digest demo --store store --out usb").status == 0);
  office.keys("sign-digest usb --key k2.key");
  // A signature of the other machine's minisign over the same document is as good.
  office.run(
      "cp store/releases/demo/release.json r.json && minisign -V -p k2.pub -m r.json -x "
      "usb.minisig > /dev/null");
  CHECK(office
            .builder("attach-signature demo --store store --key k2.pub --signature usb.minisig "
                     "--plan")
            .status == 0);
  CHECK(office.verify().status != 0);
  const std::string attach = "attach-signature demo --store store --key k2.pub --signature ";
  REQUIRE(office.builder(attach + "usb.minisig").status == 0);
  const auto both = office.verify();
  CHECK_MESSAGE(both.status == 0, both.out);
  CHECK(has(office.builder(attach + "usb.minisig 2>&1"), "has signed release demo already"));
  office.run("echo other > other && minisign -S -s k2.key -m other > /dev/null");
  CHECK(has(office.builder(attach + "other.minisig 2>&1"), "does not fit these bytes"));
}

}  // namespace weir::builder
