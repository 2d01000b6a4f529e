// weir-builder killed, or refused by a full disk, while it builds and rebuilds: what it leaves is
// whole, and the next run makes what an undisturbed one makes.
#include <memory>
#include <string>

#include "tests/faults/disturbance.h"
#include "tests/folders.h"
#include "tests/unit/builder/mirror/http_server.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

// Of each kind of call: a build makes some hundred, most of them for one more package or blob.
constexpr std::size_t kMost = 2;
const std::string kProgram = test::build_folder() + "/bin/weir-builder ";

/// A release, built, and a newer one, to be built; their packages on a server and not in the cache.
struct Interrupted : Fixture {
  std::unique_ptr<HttpServer> server;

  Interrupted() {
    std::map<std::string, std::string> served;
    const auto serve = [&] {
      for (const auto& package : packages) {
        served["/" + package.path] = read(package.name + "_" + package.version + ".deb");
      }
    };
    serve();
    (void)built();
    run("mv store store.first");
    tool("a newer tool", "1.1");
    lock();
    serve();
    for (const auto& package : packages) run("rm cache/blobs/sha256/" + package.digest.hex());
    run("rm -rf cache/layers && mv cache cache.first");
    server = std::make_unique<HttpServer>(HttpServer::files(std::move(served)));
  }

  [[nodiscard]] std::string arguments() const {
    return "build image.yaml --key k.key --store store --cache cache --json --mirror " +
           server->url() + "/";
  }
  [[nodiscard]] std::string build_digest() const {
    const Outcome out = builder(arguments() + " 2> errors");
    const std::string said = out.out + read("errors");
    REQUIRE_MESSAGE(out.status == 0, said);
    return nlohmann::json::parse(out.out).at("release_digest");
  }

  /// Blobs are what their names say.
  void check_blobs() const {
    run("for d in store/blobs/sha256 cache/blobs/sha256; do [ -d $d ] || continue; cd $d; "
        "for f in *; do case $f in *.*|'*') ;; *) echo \"$f  $f\" ;; esac; done > " +
        path() + "/sums; [ ! -s " + path() + "/sums ] || sha256sum -c --quiet " + path() +
        "/sums || exit 1; cd " + path() + "; done");
  }
  /// And a release that can be seen is whole.
  void check_whole() const {
    check_blobs();
    if (!fs::exists(path() + "/store/oci-layout")) return;
    CHECK(builder("list --store store").status == 0);
    if (!fs::exists(path() + "/store/releases/demo")) return;
    const auto verified = builder("verify demo --store store --key k.pub");
    CHECK_MESSAGE(verified.status == 0, verified.out);
    run("skopeo inspect --raw oci:store:demo > /dev/null");
  }

  /// Disturbs `command`, each time after `prepare`, with `after` behind it.
  template <class Prepare, class After>
  void everywhere(Prepare prepare, const std::string& command, After after) const {
    const test::Disturbed disturbed{path(), kMost};
    disturbed.everywhere(prepare, kProgram + command, [&](bool done) {
      check_whole();
      after(done);
      check_blobs();
      CHECK(builder("verify demo --store store --key k.pub").status == 0);
    });
  }
};

}  // namespace

TEST_CASE_FIXTURE(Interrupted,
                  "a first build that is disturbed anywhere leaves nothing half done") {
  const auto fresh = [&] { run("rm -rf store cache && cp -r cache.first cache"); };
  fresh();
  const std::string reference = build_digest();
  everywhere(fresh, arguments(), [&](bool done) {
    CHECK((!done || fs::exists(path() + "/store/releases/demo/release.json")));
    CHECK(build_digest() == reference);
    CHECK(run("ls -A store/releases") == "demo\n");
  });
}

TEST_CASE_FIXTURE(Interrupted,
                  "what a killed writer left is removed when nobody can still be at it") {
  run("cp -r cache.first cache && cp -r store.first store");
  const std::string hex(64, 'a');
  run("cd store/blobs/sha256 && touch " + hex + ".NEWONE && touch -d '2 days ago' " + hex +
      ".OLDONE other.OLDONE && mkdir ../../releases/.new.ABCDEF && touch "
      "../../releases/.new.ABCDEF/release.json");
  (void)build_digest();
  CHECK(run("ls store/blobs/sha256 | grep [.]") == hex + ".NEWONE\nother.OLDONE\n");
  CHECK(run("ls -A store/releases") == "demo\n");
}

TEST_CASE_FIXTURE(Interrupted,
                  "a release that is replaced is at every moment the old or the new one") {
  run("cp -r cache.first cache && cp -r store.first store");
  const std::string reference = build_digest();
  const std::string newer = read("store/releases/demo/release.json"),
                    older = read("store.first/releases/demo/release.json");
  REQUIRE(newer != older);
  // The packages are there: only the store is at stake.
  run("mv cache cache.full && rm -rf cache.full/layers");
  const auto fresh = [&] {
    run("rm -rf store cache && cp -r cache.full cache && cp -r store.first store");
  };
  everywhere(fresh, arguments(), [&](bool done) {
    const std::string now = read("store/releases/demo/release.json");
    CHECK((now == newer || (!done && now == older)));
    CHECK(build_digest() == reference);
  });
}

TEST_CASE_FIXTURE(Interrupted, "a statement that is disturbed counts or does not, and never half") {
  run("cp -r cache.first cache && cp -r store.first store");
  (void)build_digest();
  run("mv store store.full && mv cache cache.full");
  const std::string rebuild = "rebuild demo --store store --cache cache --key k.key";
  const std::string demand =
      "verify demo --store store --key k.pub --rebuilt-by 1 --rebuilder k.pub";
  everywhere([&] { run("rm -rf store cache && cp -r store.full store && cp -r cache.full cache"); },
             rebuild,
             [&](bool done) {
               CHECK(WEXITSTATUS(builder(demand).status) <= (done ? 0 : 1));
               CHECK(builder(rebuild).status == 0);
               CHECK(builder(demand).status == 0);
             });
}

}  // namespace weir::builder
