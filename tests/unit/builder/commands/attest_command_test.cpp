// Provenance, as build, attest, provenance and verify handle it, and as openssl and minisign see
// it.
#include <doctest/doctest.h>

#include "tests/folders.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

using nlohmann::json;

struct Attested : Fixture {
  Attested() { (void)built(); }

  void says(const Outcome& out, int status, const std::string& expected) const {
    CAPTURE(out.out);
    CHECK(WEXITSTATUS(out.status) == status);
    CHECK(out.out.find(expected) != std::string::npos);
  }
  [[nodiscard]] std::string envelope() const {
    return "store/attestations/" +
           run("sha256sum < store/releases/demo/release.json").substr(0, 64) +
           "/provenance.intoto.jsonl";
  }
  [[nodiscard]] Outcome verify(const std::string& more = "--provenance") const {
    return builder("verify demo --store store --key k.pub " + more);
  }
  [[nodiscard]] Outcome attest(const std::string& more) const {
    return builder("attest demo --store store " + more);
  }
  // The payload, if openssl finds the key's signature in the envelope.
  [[nodiscard]] Outcome by_openssl(const std::string& key = "k.pub") const {
    Outcome out;
    out.out = test::output_of("cd " + path() + " && /usr/bin/python3 " + test::source_folder() +
                                  "/tests/schemas/dsse.py " + envelope() + " " + key,
                              &out.status);
    return out;
  }
  // minisign leaves out leading zeros.
  [[nodiscard]] std::string id_of(const std::string& key) const {
    const std::string line = run("head -1 " + key);
    const auto begin = line.rfind(' ') + 1;
    const std::string id = line.substr(begin, line.find('\n') - begin);
    return std::string(16 - id.size(), '0') + id;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Attested, "a build with a key signs a provenance that openssl verifies") {
  says(verify(), 0, "provenance and SBOMs signed by " + id_of("k.pub"));
  const Outcome seen = by_openssl();
  REQUIRE_MESSAGE(seen.status == 0, seen.out);
  CHECK(seen.out == builder("provenance demo --store store --key k.pub").out);
  const json statement = json::parse(seen.out);

  // Subject: what is shipped. Dependencies: all that it was made from. By sha256sum.
  const json stated = release(), locked = json::parse(read("image.lock.json"));
  CHECK(statement.at("subject").size() == stated.at("layers").size() + 2);
  CHECK(statement.at("subject")[0].at("digest").at("sha256") ==
        run("sha256sum < store/releases/demo/release.json").substr(0, 64));
  std::map<std::string, std::string> from;
  for (const json& each :
       statement.at("predicate").at("buildDefinition").at("resolvedDependencies")) {
    from[each.at("name")] = each.at("digest").at("sha256");
  }
  CHECK(from.at("lock.json") == run("sha256sum < image.lock.json").substr(0, 64));
  CHECK(from.at("image.yaml") == run("sha256sum < image.yaml").substr(0, 64));
  CHECK(from.at("weir-init") == run("sha256sum < init").substr(0, 64));
  for (const auto& each : packages) {
    const std::string file = each.name + "_" + each.version + ".deb";
    CHECK(from.at(each.path.substr(each.path.rfind('/') + 1)) ==
          run("sha256sum < " + file).substr(0, 64));
  }
  CHECK(from.size() == 3 + 2 + packages.size());  // and the suite's index
  for (const json& bill : statement.at("predicate").at("runDetails").at("byproducts")) {
    const std::string format = bill.at("name") == "sbom.spdx.json" ? "spdx" : "cyclonedx";
    CHECK(builder("sbom demo --store store --key k.pub --format " + format).out ==
          read("store/blobs/sha256/" + bill.at("digest").at("sha256").get<std::string>()));
  }
}

TEST_CASE_FIXTURE(Attested,
                  "the same release has the same provenance, and nothing is written twice") {
  const std::string before = run("cd store && find . -type f | sort | xargs sha256sum");
  const std::string written = run("stat -c '%y %i' " + envelope());
  (void)built();
  CHECK(run("stat -c '%y %i' " + envelope()) == written);
  says(attest("--key k.key"), 0, "has a provenance signed by");
  CHECK(run("stat -c '%y %i' " + envelope()) == written);
  // Elsewhere, in another zone, from nothing.
  run("mkdir -p far/away && cp -r image.yaml image.lock.json init agent k.key far/away && "
      "cp -r cache far/away && rm -rf far/away/cache/layers");
  test::must(
      "cd " + path() + "/far/away && umask 027 && TZ=America/St_Johns " + test::build_folder() +
      "/bin/weir-builder build image.yaml --key k.key --store store --cache cache 2> errors");
  CHECK(run("cd far/away/store && find . -type f | sort | xargs sha256sum") == before);
}

TEST_CASE_FIXTURE(Attested, "a release that was signed elsewhere gets a provenance from minisign") {
  run("rm -r store");
  const auto made = builder("build image.yaml --unsigned --store store --cache cache");
  REQUIRE_MESSAGE(made.status == 0, made.out);
  CHECK_FALSE(fs::exists(path() + "/store/attestations"));
  run("minisign -S -s k.key -x r.minisig -m store/unsigned/demo/release.json");
  says(builder("attach-signature demo --store store --key k.pub --signature r.minisig"), 0, "has");
  says(verify(""), 0, "is whole");
  says(verify(), 1, "has no provenance");

  says(attest("--bytes usb --release-key k.pub"), 0, "minisign -S -l -m usb");
  run("minisign -S -l -s k.key -m usb && minisign -S -s k.key -x hashed -m usb");
  says(attest("--public-key k.pub --signature hashed"), 1, "over a hash");
  says(attest("--public-key k.pub --signature usb.minisig --plan"), 0, "would get");
  says(verify(), 1, "has no provenance");
  says(attest("--public-key k.pub --signature usb.minisig"), 0, "got a provenance");
  says(verify(), 0, "provenance and SBOMs signed by");
  CHECK(by_openssl().status == 0);

  // Or from openssl, with a key of its own.
  run("openssl genpkey -algorithm ed25519 -out key.pem && "
      "openssl pkeyutl -sign -inkey key.pem -rawin -in usb -out usb.sig");
  const std::string raw = "Ed" + std::string(8, '7') +
                          run("openssl pkey -in key.pem -pubout -outform DER | tail -c 32");
  write("o.pub", "untrusted comment: o\n" + base64_of(as_bytes(raw)) + "\n");
  says(attest("--public-key k.pub --signature usb.sig"), 1, "is not key " + id_of("k.pub"));
  says(attest("--public-key o.pub --signature usb.sig"), 1, "not trusted here");
  says(attest("--public-key o.pub --signature usb.sig --release-key k.pub"), 0, "got a provenance");
  CHECK(by_openssl().status == 0);
  CHECK(by_openssl("o.pub").status == 0);
}

TEST_CASE_FIXTURE(Attested, "a second signature is added, and one of a stranger does not count") {
  run("minisign -G -W -p b.pub -s b.key > /dev/null");
  says(builder("provenance demo --store store --key b.pub"), 1, "not trusted here");
  says(attest("--key b.key --release-key k.pub --plan"), 0, "would get");
  CHECK(by_openssl("b.pub").status != 0);
  says(attest("--key b.key --release-key k.pub"), 0, "got a provenance signed by");
  CHECK(by_openssl("b.pub").status == 0);
  CHECK(by_openssl("k.pub").status == 0);
  CHECK(json::parse(read(envelope())).at("signatures").size() == 2);
  says(verify("--key b.pub --provenance"), 0, id_of("b.pub"));
  // The builder's own is still enough, and building again keeps the other one.
  (void)built();
  CHECK(json::parse(read(envelope())).at("signatures").size() == 2);

  // Only a stranger's: no harm, and no provenance.
  run("rm " + envelope());
  says(attest("--key b.key --release-key k.pub"), 0, "got a provenance");
  const auto out = verify("--json");
  REQUIRE_MESSAGE(out.status == 0, out.out);
  CHECK(json::parse(out.out).at("provenance_by").is_null());
  says(verify(), 1, "no trusted key's signature fits");
}

TEST_CASE_FIXTURE(Attested, "signatures that are added at once are all there") {
  const std::string all = "1 2 3 4";
  run("for i in " + all + "; do minisign -G -W -p p$i.pub -s p$i.key > /dev/null; done");
  const auto at_once = [&](const std::string& command) {
    run("for i in " + all + "; do " + test::build_folder() + "/bin/weir-builder " + command +
        " > /dev/null 2>&1 & done; wait");
  };
  at_once("attest demo --store store --release-key k.pub --key p$i.key");
  for (const char* key : {"k.pub", "p1.pub", "p2.pub", "p3.pub", "p4.pub"}) {
    CAPTURE(key);
    CHECK(by_openssl(key).status == 0);
  }
  // Of a release that none has signed yet.
  run("rm -r store");
  REQUIRE(builder("build image.yaml --unsigned --store store --cache cache").status == 0);
  run("for i in " + all +
      "; do minisign -S -s p$i.key -x s$i -m store/unsigned/demo/release.json "
      "> /dev/null; done");
  at_once("attach-signature demo --store store --key p$i.pub --signature s$i");
  for (const char* key : {"p1.pub", "p2.pub", "p3.pub", "p4.pub"}) {
    CAPTURE(key);
    says(builder("verify demo --store store --key " + std::string(key)), 0, "is whole");
  }
}

TEST_CASE_FIXTURE(Attested, "a malformed line beside a good provenance is told, and does no harm") {
  const std::string good = read(envelope());
  write(envelope(), good + "junk\n");
  for (const char* line :
       {"verify demo", "verify demo --provenance", "provenance demo",
        "sbom demo --format spdx --out x.json", "export demo --format kernel --out x"}) {
    CAPTURE(line);
    says(builder(std::string(line) + " --store store --key k.pub 2>&1"), 0,
         "beside a good provenance, one counts for nothing: provenance: DSSE envelope: not JSON");
  }
  CHECK(builder("provenance demo --envelope --store store --key k.pub 2> /dev/null").out == good);
  CHECK(read("x/provenance.dsse.json") == good);
  says(attest("--key k.key"), 0, "got a provenance");
  CHECK(read(envelope()) == good);
}

TEST_CASE_FIXTURE(Attested, "a provenance that was changed, or is another release's, is refused") {
  const std::string good = read(envelope());
  json changed = json::parse(good);
  std::string payload = *parse_base64(changed.at("payload").get<std::string>());
  payload.replace(payload.find("demo/kernel"), 4, "dame");
  changed["payload"] = base64_of(as_bytes(payload));
  write(envelope(), changed.dump());
  says(verify(""), 1, "it was changed after signing");
  CHECK(by_openssl().status != 0);
  write(envelope(), "nothing");
  says(verify(""), 1, "release demo: provenance: DSSE envelope: not JSON");
  json twice = json::parse(good);
  twice["signatures"].push_back(twice["signatures"][0]);
  write(envelope(), twice.dump());
  says(verify(""), 1, "signs twice");

  // A newer release's provenance in an older one's place.
  const std::string old = envelope();
  write("store.old", good);
  run("cp -r store first");
  tool("newer", "1.1");
  lock();
  (void)built();
  REQUIRE(envelope() != old);
  run("cp store.old " + envelope());
  says(verify(""), 1, "is about something else than release demo");

  // Building again repairs it; a damaged SBOM is seen, and repaired too.
  (void)built();
  says(verify(), 0, "is whole");
  const json statement = json::parse(builder("provenance demo --store store --key k.pub").out);
  const std::string bill = "store/blobs/sha256/" + statement.at("predicate")
                                                       .at("runDetails")
                                                       .at("byproducts")[0]
                                                       .at("digest")
                                                       .at("sha256")
                                                       .get<std::string>();
  write(bill, "{}");
  says(verify(""), 1, "release demo: sbom.spdx.json: ");
  says(attest("--key k.key"), 0, "has a provenance");
  says(verify(), 0, "is whole");
}

TEST_CASE_FIXTURE(Attested, "nobody signs the provenance of what a stranger put into the store") {
  run("minisign -G -W -p b.pub -s b.key > /dev/null && rm " + envelope());
  const std::string document = "store/releases/demo/release.json";
  const std::string good = read(document);
  run("sed -i 's/quiet/loud!/' " + document);
  REQUIRE(read(document) != good);
  const char* const ways[] = {"--key k.key", "--key b.key --release-key k.pub",
                              "--bytes usb --release-key k.pub"};
  for (const char* how : ways) says(attest(how), 1, "release demo: ");
  // Signed, but by the stranger.
  run("minisign -S -s b.key -m " + document);
  for (const char* how : ways) {
    if (how != ways[1]) says(attest(how), 1, "not trusted here");
  }
  CHECK_FALSE(fs::exists(path() + "/usb"));
  CHECK_FALSE(fs::exists(path() + "/" + envelope()));
}

TEST_CASE_FIXTURE(Attested, "attest and provenance are told what is missing") {
  says(attest(""), 2,
       "--key, --pkcs11, --bytes with --release-key, or --signature with --public-key");
  says(attest("--key k.key --bytes x"), 2, "--help explains");
  says(attest("--signature x"), 2, "--help explains");
  says(attest("--bytes x"), 2, "--help explains");
  says(builder("attest none --store store --key k.key"), 1, "no release 'none'");
  says(builder("provenance demo --store store"), 2, "--key");
  const auto out = attest("--key k.key --json");
  CHECK(json::parse(out.out).at("written") == false);
}

}  // namespace weir::builder
