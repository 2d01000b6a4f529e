// weir-builder rebuild, and verify --rebuilt-by, as a person runs them.
#include <doctest/doctest.h>

#include "build_fixture.h"
#include "builder/release/rebuild_differences.h"
#include "tests/unit/builder/mirror/http_server.h"

namespace weir::builder {
namespace {

struct Built : Fixture {
  Built() {
    (void)built();
    for (const char* who : {"ann", "bob"}) {
      run(std::string("minisign -G -W -p ") + who + ".pub -s " + who + ".key > /dev/null");
    }
  }
  [[nodiscard]] Outcome rebuild(const std::string& more = "",
                                const std::string& before = "") const {
    return builder("rebuild demo --store store --cache cache " + more, before);
  }
  [[nodiscard]] Outcome demand(const std::string& more) const {
    return builder("verify demo --store store --key k.pub " + more);
  }
  void says(const Outcome& out, int status, const std::string& expected) const {
    CAPTURE(out.out);
    CHECK(WEXITSTATUS(out.status) == status);
    CHECK(out.out.find(expected) != std::string::npos);
  }
};

}  // namespace

TEST_CASE_FIXTURE(
    Built, "a release is made again from what the store and the cache hold, and is the same") {
  // The manifest, the lock and the programs' folder are gone; so is every layer's memory.
  run("rm -rf image.yaml image.lock.json init agent cache/layers");
  const std::string before = run("cd store && find . -type f | sort | xargs sha256sum");
  const auto out = rebuild("--json 2> /dev/null");
  REQUIRE_MESSAGE(out.status == 0, out.out);
  const auto json = nlohmann::json::parse(out.out);
  CHECK(json.at("identical") == true);
  CHECK(json.at("differences").empty());
  CHECK(json.at("release_digest") ==
        "sha256:" + run("sha256sum < store/releases/demo/release.json").substr(0, 64));
  CHECK(json.at("rebuilt_digest") == json.at("release_digest"));
  CHECK(run("cd store && find . -type f | sort | xargs sha256sum") == before);
  CHECK(run("ls cache | grep -c rebuild || true") == "0\n");
  says(rebuild(), 0, "release demo is bit-identical");
}

TEST_CASE_FIXTURE(
    Built, "weir-init and weir-node come from the release itself where the cache lacks them") {
  for (const char* name : {"init", "agent"}) {
    run("rm cache/blobs/sha256/" + Digest::of(as_bytes(read(name))).hex());
  }
  says(rebuild(), 0, "is bit-identical");
}

TEST_CASE_FIXTURE(Built, "a pipe in the place of a release is refused, and nothing is stated") {
  run("cd store/releases/demo && mv release.json genuine && mkfifo release.json");
  says(rebuild("--signer k.pub --key ann.key 2>&1"), 1, "is a pipe");
  CHECK_FALSE(fs::exists(path() + "/store/statements"));
}

TEST_CASE_FIXTURE(
    Built, "a release that comes out otherwise is named field by field, and not signed for") {
  std::string document = read("store/releases/demo/release.json");
  document.replace(document.find("quiet"), 5, "quieT");
  write("store/releases/demo/release.json", document);
  const auto out = rebuild("--key ann.key");
  says(out, 1, "release demo DIFFERS");
  says(out, 1, "command_line\n    stored   \"quieT\"\n    rebuilt  \"quiet\"");
  CHECK_FALSE(fs::exists(path() + "/store/statements"));
  says(rebuild("--signer k.pub"), 1, "release demo: release signature");
  says(rebuild("--signer ann.pub"), 1, "which is not trusted here");
}

TEST_CASE_FIXTURE(Built, "what cannot be rebuilt says what is missing") {
  run("mkdir away");
  const auto without = [&](const Digest& digest, const std::string& where,
                           const std::string& expected) {
    run("mv " + where + "/blobs/sha256/" + digest.hex() + " away/");
    says(rebuild(), 1, expected);
    run("mv away/" + digest.hex() + " " + where + "/blobs/sha256/");
  };
  without(Digest::of(as_bytes(read("image.lock.json"))), "store", "its lock (sha256:");
  without(Digest::of(as_bytes(read("image.yaml"))), "store", "its image manifest (sha256:");
  const HttpServer empty(HttpServer::files({}));
  const std::string deb = "cache/blobs/sha256/" + packages.front().digest.hex();
  run("mv " + deb + " away/deb");
  says(rebuild("--mirror " + empty.url() + "/"), 1, packages.front().name);
  run("mv away/deb " + deb);
  says(rebuild(), 0, "is bit-identical");
}

TEST_CASE_FIXTURE(Built,
                  "verify demands statements of m different keys, and stock minisign reads them") {
  says(demand("--rebuilt-by 1 --rebuilder ann.pub"), 1, "was rebuilt by 0 of the 1 demanded");
  says(rebuild("--key ann.key"), 0, "says so");
  says(rebuild("--key ann.key"), 0, "says so");
  CHECK(run("ls store/statements/*/*.json | wc -l") == "1\n");
  run("minisign -V -q -p ann.pub -m store/statements/*/rebuilt-*.json");
  CHECK(run("head -c 32 store/statements/*/*.json").find("\"type\": \"weir.rebuild/1\"") !=
        std::string::npos);

  says(demand("--rebuilt-by 1 --rebuilder bob.pub --rebuilder ann.pub"), 0, "bit by bit the same");
  says(demand("--rebuilt-by 2 --rebuilder bob.pub --rebuilder ann.pub"), 1,
       "was rebuilt by 1 of the 2 demanded");
  says(demand("--rebuilt-by 2 --rebuilder ann.pub --rebuilder ann.pub"), 1,
       "2 statements are demanded of 1 distinct keys");
  says(demand("--rebuilt-by 1"), 2, "go together");
  says(demand("--rebuilder ann.pub"), 2, "go together");
  for (const auto& [number, why] :
       {std::pair("-1", ": '-1' is not a number"), std::pair("0", ": must be 1 or more")}) {
    says(demand("--rebuilder ann.pub --rebuilt-by " + std::string(number) + " 2>&1"), 2,
         std::string("--rebuilt-by") + why);
    says(demand("--checker ann.pub --boot-checked-by " + std::string(number) + " 2>&1"), 2,
         std::string("--boot-checked-by") + why);
  }
  says(rebuild("--key bob.key"), 0, "says so");
  says(demand("--rebuilt-by 2 --rebuilder bob.pub --rebuilder ann.pub"), 0, "demo is whole");

  // A statement whose bytes were changed counts for nothing.
  run("sed -i 's/\"release\": \"demo\"/\"release\": \"demO\"/' store/statements/*/*.json");
  says(demand("--rebuilt-by 1 --rebuilder bob.pub --rebuilder ann.pub"), 1, "0 of the 1 demanded");
}

TEST_CASE_FIXTURE(Built, "--plan says what would be made, and makes nothing") {
  run("rm -rf image.yaml image.lock.json init agent cache/layers");
  const std::string deb = "cache/blobs/sha256/" + packages.front().digest.hex();
  run("mv " + deb + " deb");
  const std::string before = run("find store cache -type f | sort | xargs sha256sum");
  const auto out = rebuild("--plan --json --key ann.key 2>&1");
  REQUIRE_MESSAGE(out.status == 0, out.out);
  const auto plan = nlohmann::json::parse(out.out);
  CHECK(plan.at("release_digest") ==
        "sha256:" + run("sha256sum < store/releases/demo/release.json").substr(0, 64));
  CHECK(plan.at("packages") == packages.size());
  CHECK(plan.at("fetch") == 1);
  CHECK(plan.at("fetch_bytes") == packages.front().size.value);
  CHECK(plan.at("statements").get<std::string>().starts_with("store/statements/"));
  says(rebuild("--plan"), 0, "of which 1 are fetched first");
  CHECK(run("find store cache -type f | sort | xargs sha256sum") == before);
  run("mv deb " + deb + " && mv store/blobs/sha256/" +
      release().at("lock_digest").get<std::string>().substr(7) + " away");
  says(rebuild("--plan 2>&1"), 1, "its lock (sha256:");
  says(rebuild("--plan --signer ann.pub 2>&1"), 1, "not trusted here");
  says(rebuild("--key ann.key --pkcs11 pkcs11: 2>&1"), 2, "--key or --pkcs11");
}

TEST_CASE_FIXTURE(Built, "a lock for another compressor is refused with the one that it takes") {
  const auto parsed = manifests::parse_lock(read("image.lock.json"));
  REQUIRE(parsed.has_value());
  manifests::Lock other = *parsed;
  other.compressor = "newc+zstd-0.0.1-3";
  const std::string text = manifests::print(other), own = images::layer_encoder();
  write("image.lock.json", text);
  for (const char* plan : {"", "--plan"}) {
    const Outcome out = build(plan);
    says(out, 1,
         "image.lock.json: was made for the compressor newc+zstd-0.0.1-3, and this builder "
         "has " +
             own + ": run weir-builder lock image.yaml");
  }
  const std::string digest = Digest::of(as_bytes(text)).hex();
  write("store/blobs/sha256/" + digest, text);
  auto document = nlohmann::ordered_json::parse(read("store/releases/demo/release.json"));
  document.at("lock_digest") = "sha256:" + digest;
  write("store/releases/demo/release.json", document.dump(2) + "\n");
  for (const char* plan : {"", "--plan"}) {
    says(rebuild(plan), 1,
         "its lock: was made for the compressor newc+zstd-0.0.1-3, and this "
         "builder has " +
             own + ": only a weir-builder with the former can");
  }
}

TEST_CASE_FIXTURE(Built, "lock and manifest travel with a release that foreign tools copy") {
  run("skopeo --insecure-policy copy -q oci:store:demo oci:other:demo");
  for (const char* name : {"image.lock.json", "image.yaml"}) {
    run(std::string("cmp ") + name + " other/blobs/sha256/" +
        Digest::of(as_bytes(read(name))).hex());
  }
}

TEST_CASE("documents are compared field by field, lists by the names of their items") {
  const auto found = rebuild_differences(
      R"({"a": 1, "layers": [{"name": "x", "n": 1}, {"name": "y", "n": 2}], "gone": []})",
      R"({"a": 1, "layers": [{"name": "y", "n": 3}, {"name": "x", "n": 1}], "new": {"b": "c"}})");
  REQUIRE(found.has_value());
  CHECK(*found == std::vector<FieldDifference>{
                      {"layers[y].n", "2", "3"}, {"gone", "[]", ""}, {"new.b", "", "\"c\""}});
  CHECK_FALSE(rebuild_differences("{", "{}").has_value());
}

}  // namespace weir::builder
