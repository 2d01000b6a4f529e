// weir-builder build and rebuild hold a lock to the signed indices that the cache still has.
#include <doctest/doctest.h>

#include "tests/unit/builder/mirror/http_server.h"
#include "tests/unit/builder/release/build_fixture.h"
#include "tests/unit/builder/release/throw_away_key.h"

namespace weir::builder {
namespace {

constexpr const char* kDate = "Tue, 14 Nov 2023 22:13:20 UTC";  // Fixture::epoch, by date(1)

// What only locking refuses.
constexpr const char* kLongPast = "Valid-Until: Wed, 15 Nov 2023 22:13:20 UTC\n";

/// A fixture whose packages stand in a signed index, as `weir-builder lock` leaves it in a cache.
struct Indexed : Fixture {
  ThrowAwayKey key, stranger;
  std::string inrelease, packed;

  Indexed() {
    manifest += "node_programs: programs\n";
    manifest.replace(manifest.find("suites: [demo]"), 14,
                     "suites: [demo], keyring: " + key.keyring());
    run("mkdir programs && cp init programs/weir-init && cp agent programs/weir-node");
    publish(key);
    lock();
    adopt();
  }

  void publish(const ThrowAwayKey& by, const std::string& until = kLongPast) {
    std::string text;
    for (const auto& one : packages) {
      text += "Package: " + one.name + "\nVersion: " + one.version + "\nArchitecture: amd64\n" +
              (one.name == "tool" ? "Depends: libdemo\n" : "") + "Filename: " + one.path +
              "\nSize: " + std::to_string(one.size.value) + "\nSHA256: " + one.digest.hex() +
              "\n\n";
    }
    write("Packages", text);
    packed = test::must("xz -c " + path() + "/Packages");
    const auto line = [](const std::string& bytes, const std::string& name) {
      return " " + Digest::of(as_bytes(bytes)).hex() + " " + std::to_string(bytes.size()) +
             " main/binary-amd64/Packages" + name + "\n";
    };
    inrelease = by.clear_sign("Suite: demo\nCodename: demo\nDate: " + std::string(kDate) + "\n" +
                              until + "SHA256:\n" + line(text, "") + line(packed, ".xz"));
  }
  [[nodiscard]] static std::string blob_of(const std::string& bytes) {
    return "cache/blobs/sha256/" + Digest::of(as_bytes(bytes)).hex();
  }
  // Index and lock name each other.
  void adopt() {
    write(blob_of(inrelease), inrelease);
    write(blob_of(packed), packed);
    edit([&](nlohmann::ordered_json& document) {
      auto& source = document.at("sources").at(0);
      source.at("inrelease_digest") = Digest::of(as_bytes(inrelease)).string();
      source.at("date") = kDate;
      source.at("signer") = key.fingerprint();
    });
  }
  template <class Change>
  void edit(Change change) {
    auto document = nlohmann::ordered_json::parse(read("image.lock.json"));
    change(document);
    write("image.lock.json", document.dump(2) + "\n");
  }
  // A field of the package `tool` in the lock.
  void edit_tool(const char* field, const nlohmann::ordered_json& value) {
    edit([&](nlohmann::ordered_json& document) {
      for (auto& package : document.at("packages")) {
        if (package.at("name") == "tool") package.at(field) = value;
      }
    });
  }
  [[nodiscard]] std::string index_of(const std::string& more = "") const {
    return built(more).at("index");
  }
  void planned_and_refused(const std::string& says) const {
    const Outcome plan = build("--plan");
    CHECK(plan.out.find(says) != std::string::npos);
    CHECK(plan.status != 0);
    refused(says);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Indexed, "a lock is held to its signed index once, and that is remembered") {
  const auto plan = build("--plan --json");
  CHECK(nlohmann::json::parse(plan.out).at("index") == "checked");
  CHECK_FALSE(fs::exists(path() + "/cache/indexed"));  // a plan leaves nothing behind
  CHECK(index_of() == "checked");
  CHECK(index_of() == "remembered");
  run("rm " + blob_of(inrelease) + " " + blob_of(packed));
  CHECK(index_of("--require-index") == "remembered");
  CHECK(nlohmann::json::parse(build("--plan --json").out).at("index") == "remembered");
  CHECK(build().out.find("not held") == std::string::npos);
  // A record that was cut off is none.
  run("for file in cache/indexed/*; do : > $file; done");
  CHECK(index_of() == "absent");
}

TEST_CASE_FIXTURE(Indexed, "where the index is not, a build says so, and --require-index refuses") {
  for (const std::string& gone : {blob_of(inrelease), blob_of(packed), key.keyring()}) {
    CAPTURE(gone);
    run("mv " + gone + " away");
    const std::string says = "image.lock.json was not held to the signed index again";
    CHECK(build("--plan").out.find(says) != std::string::npos);
    const std::string missing = gone == key.keyring() ? "keyring " + gone
                                : gone == blob_of(packed)
                                    ? "main/binary-amd64/Packages.xz is not in the cache"
                                    : "InRelease is not in the cache";
    CHECK(build("--plan --require-index").out.find(missing) != std::string::npos);
    refused(missing, "--require-index");
    run("mv away " + gone);
  }
  run("rm " + blob_of(inrelease));
  CHECK(build().out.find(
            "was not held to the signed index again (--require-index demands it): "
            "suite demo: InRelease is not in the cache, where weir-builder lock keeps it\n") !=
        std::string::npos);
  CHECK(index_of() == "absent");
}

TEST_CASE_FIXTURE(Indexed, "a package that is not what the signed index says is refused by name") {
  SUBCASE("another digest, and the package for it in the cache") {
    const std::string own = read("libdemo_1.0.deb");
    write(blob_of(own), own);
    edit_tool("size", own.size());
    edit_tool("digest", Digest::of(as_bytes(own)).string());
    planned_and_refused("image.lock.json: tool 1.0: the lock has digest " +
                        Digest::of(as_bytes(own)).hex() + ", the signed index of demo has ");
  }
  SUBCASE("another version") {
    edit_tool("version", "6.6");
    planned_and_refused(
        "image.lock.json: tool 6.6 (amd64) is not in the signed index of demo, which has 1.0: run "
        "weir-builder lock image.yaml");
  }
  SUBCASE("another architecture") {
    edit_tool("architecture", "all");
    planned_and_refused("tool 1.0 (all) is not in the signed index of demo");
  }
  SUBCASE("another size") {
    edit_tool("size", 7);
    planned_and_refused("tool 1.0: the lock has size 7, the signed index of demo has ");
  }
  SUBCASE("another path") {
    edit_tool("path", "pool/other.deb");
    planned_and_refused(
        "tool 1.0: the lock has path pool/other.deb, the signed index of demo has "
        "pool/tool_1.0.deb");
  }
  SUBCASE("another age") {
    edit([](nlohmann::ordered_json& document) { document.at("source_epoch") = 1700000001; });
    planned_and_refused("its source_epoch is not the newest date of its sources");
  }
  CHECK_FALSE(fs::exists(path() + "/cache/indexed"));
}

TEST_CASE_FIXTURE(Indexed, "an index that the lock's signer did not sign is refused") {
  SUBCASE("changed in the cache") {
    std::string changed = inrelease;
    changed.replace(changed.find("Suite"), 5, "suite");
    write(blob_of(inrelease), changed);
    planned_and_refused("suite demo: InRelease: cache/blobs/sha256/");
  }
  SUBCASE("changed, and the lock with it") {
    inrelease.replace(inrelease.find("Valid-Until: Wed, 15"), 20, "Valid-Until: Thu, 16");
    adopt();
    planned_and_refused("suite demo: InRelease: a signature is bad");
  }
  SUBCASE("signed by a key that is not in the keyring") {
    publish(stranger);
    adopt();
    planned_and_refused("which is not in the keyring: run weir-builder lock image.yaml");
  }
  SUBCASE("signed by another key of the keyring than the lock says") {
    run("cat " + stranger.keyring() + " >> " + key.keyring());
    publish(stranger);
    adopt();
    planned_and_refused("suite demo: InRelease: is signed by " + stranger.fingerprint() +
                        ", and the lock says " + key.fingerprint());
  }
  SUBCASE("of another date than the lock says") {
    edit([](nlohmann::ordered_json& document) {
      document.at("sources").at(0).at("date") = "Wed, 15 Nov 2023 22:13:20 UTC";
    });
    planned_and_refused(std::string("InRelease: is dated ") + kDate +
                        ", and the lock says Wed, 15");
  }
  SUBCASE("whose packages were changed in the cache") {
    std::string changed = packed;
    changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
    write(blob_of(packed), changed);
    planned_and_refused("suite demo: main: cache/blobs/sha256/");
  }
}

TEST_CASE_FIXTURE(Indexed, "what lock has proved, the first build finds") {
  run("rm -r cache/blobs/sha256 image.lock.json && cp " + key.keyring() + " ring.gpg");
  manifest.replace(manifest.find(key.keyring()), key.keyring().size(), "ring.gpg");
  write("image.yaml", manifest);
  std::map<std::string, std::string> files = {
      {"/debian/dists/demo/main/binary-amd64/Packages.xz", packed}};
  for (const auto& one : packages) {
    files["/debian/" + one.path] = read(one.name + "_" + one.version + ".deb");
  }
  publish(key, "");  // an index may go without a Valid-Until
  files["/debian/dists/demo/InRelease"] = inrelease;
  const HttpServer server(HttpServer::files(files));
  const std::string mirror = " --mirror " + server.url() + "/debian/";
  const Outcome locked = builder("lock image.yaml --cache cache" + mirror);
  REQUIRE_MESSAGE(locked.status == 0, locked.out);
  CHECK(read(blob_of(inrelease)) == inrelease);
  CHECK(index_of("--require-index" + mirror) == "remembered");
  run("rm -r cache/indexed");
  CHECK(index_of(mirror) == "checked");
  // A release does not know to what its manifest's keyring was relative.
  const Outcome again = builder("rebuild demo --store store --cache cache --json --plan");
  CHECK(nlohmann::json::parse(again.out).at("index") == "absent");
}

TEST_CASE_FIXTURE(Indexed, "a rebuild holds the release's lock to the index as well") {
  CHECK(index_of() == "checked");
  const auto again = [&](const std::string& more) {
    return builder("rebuild demo --store store --cache cache " + more);
  };
  const auto index = [&](const std::string& more) {
    const Outcome out = again("--json " + more);
    REQUIRE_MESSAGE(out.status == 0, out.out);
    return nlohmann::json::parse(out.out).at("index").get<std::string>();
  };
  CHECK(index("--plan") == "remembered");
  run("rm -r cache/indexed");
  CHECK(index("--plan") == "checked");
  CHECK(index("") == "checked");
  CHECK(index("--require-index") == "remembered");
  run("rm -r cache/indexed " + blob_of(packed));
  CHECK(index("") == "absent");
  CHECK(again("").out.find("the release's lock was not held to the signed index again") !=
        std::string::npos);
  for (const char* plan : {"", " --plan"}) {
    const Outcome refused = again("--require-index" + std::string(plan));
    CHECK(WEXITSTATUS(refused.status) == 1);
    CHECK(refused.out.find(
              "main/binary-amd64/Packages.xz is not in the cache, where weir-builder lock") !=
          std::string::npos);
  }
}

}  // namespace weir::builder
