// The commands that write little, killed or refused by a full disk at each of their calls: what
// they wrote is the old or the new, and whole; a second run does the rest and leaves nothing
// behind.
#include <memory>
#include <string>

#include "disturbance.h"
#include "tests/unit/builder/archive_fixture.h"
#include "tests/unit/builder/build_fixture.h"

namespace weir::builder {
namespace {

const std::string kBuilder = WEIR_BINARY_DIR "/bin/weir-builder ";
const std::string kKeys = WEIR_BINARY_DIR "/bin/weir-keys ";

/// A release in a store, which `prepare` puts back.
struct Stored : Fixture {
  test::Disturbed disturbed{path()};

  void keep() const { run("mv store store.kept"); }
  [[nodiscard]] auto prepare() const {
    return [this] { run("rm -rf store out* && cp -r store.kept store"); };
  }
  void check_blobs(const std::string& store = "store") const {
    run("cd " + store +
        "/blobs/sha256 && for f in *; do case $f in *.*) ;; *) echo \"$f  $f\" ;; "
        "esac; done > ../sums && sha256sum -c --quiet ../sums && rm ../sums");
  }
  void again(const std::string& command) const {
    int status = 0;
    const std::string out = test::output_of("cd " + path() + " && " + command, &status);
    CHECK_MESSAGE(status == 0, out);
  }
};

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
    run("minisign -G -W -p root.pub -s root.key > /dev/null && "
        "minisign -G -W -p k2.pub -s k2.key > /dev/null");
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

TEST_CASE_FIXTURE(Archive, "a lock that is disturbed is the old one or the new one") {
  REQUIRE(lock().status == 0);
  const std::string older = text();
  republish(packages + paragraph("lib", "1.2"));
  test::must("cd " + folder.path + " && mv cache cache.kept && cp image.lock.json old");
  HttpServer server(HttpServer::files(files));
  const std::string command =
      kBuilder + "lock image.yaml --mirror " + server.url() + "/debian/ --cache cache";
  const auto fresh = [&] {
    test::must("cd " + folder.path +
               " && rm -rf cache && cp -r cache.kept cache && cp old image.lock.json");
  };
  const auto check_cache = [&] {
    test::must("cd " + folder.path +
               "/cache/blobs/sha256 && for f in *; do case $f in *.*) ;; *) "
               "echo \"$f  $f\" ;; esac; done > ../sums && sha256sum -c --quiet ../sums && "
               "rm ../sums");
  };
  fresh();
  test::must("cd " + folder.path + " && " + command + " 2> errors");
  const std::string newer = text();
  REQUIRE(newer != older);
  const test::Disturbed disturbed{folder.path};
  const auto after = [&] {
    const std::string now_there = text();
    CHECK((now_there == older || now_there == newer));
    check_cache();
    test::must("cd " + folder.path + " && " + command + " 2> errors || { cat errors; exit 1; }");
    CHECK(text() == newer);
    check_cache();
    CHECK(test::must("ls -A " + folder.path + "/cache/partial") == "");
  };
  disturbed.everywhere(fresh, command, after, 4);
  // The first of all, with nothing there: no cache and no lock.
  const auto nothing = [&] {
    test::must("cd " + folder.path + " && rm -rf cache image.lock.json");
  };
  disturbed.everywhere(
      nothing, command,
      [&] {
        CHECK((!std::filesystem::exists(path()) || text() == newer));
        test::must("cd " + folder.path + " && " + command +
                   " 2> errors || { cat errors; exit 1; }");
        CHECK(text() == newer);
        check_cache();
      },
      3);
}

TEST_CASE_FIXTURE(Unsigned, "a signature that is attached counts or does not, and never half") {
  keep();
  const std::string verify = "verify demo --store store --key k.pub",
                    command =
                        "attach-signature demo --store store --key k.pub --signature r.minisig";
  disturbed.everywhere(prepare(), kBuilder + command, [&] {
    if (fs::exists(path() + "/store/releases/demo")) CHECK(builder(verify).status == 0);
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

TEST_CASE_FIXTURE(Unsigned, "a provenance that is disturbed is there whole or not at all") {
  again(kBuilder + "attach-signature demo --store store --key k.pub --signature r.minisig");
  keep();
  const std::string verify = "verify demo --store store --key k.pub",
                    command = "attest demo --store store --key k.key";
  disturbed.everywhere(prepare(), kBuilder + command, [&] {
    CHECK(builder(verify).status == 0);
    const auto before = builder(verify + " --provenance 2>&1");
    const bool absent = before.out.find("has no provenance") != std::string::npos;
    CHECK_MESSAGE((before.status == 0 || absent), before.out);
    check_blobs();
    again(kBuilder + command);
    again(kBuilder + verify + " --provenance");
    check_blobs();
  });
}

TEST_CASE_FIXTURE(Stored, "an export that is disturbed is there whole or not at all") {
  (void)built();
  keep();
  // What each writes: a folder, a folder with folders in it.
  for (const std::string format : {"kernel", "pxe", "oci"}) {
    CAPTURE(format);
    const std::string command =
        kBuilder + "export demo --store store --key k.pub --format " + format + " --out out";
    prepare()();
    again(command);
    run("rm -rf reference && mv out reference");
    disturbed.everywhere(
        prepare(), command,
        [&] {
          if (fs::exists(path() + "/out")) run("diff -r reference out && rm -r out");
          again(command);
          run("diff -r reference out");
        },
        3);
  }
}

TEST_CASE_FIXTURE(Trusted, "what a verifier remembers is the old or the new, and never less") {
  again(kBuilder + "verify demo --store store --trust t.json --state s");
  run("cp s s.older");
  version(6);
  keep();
  const std::string command = "verify demo --store store --trust t.json --state s";
  prepare()();
  again(kBuilder + command);
  const std::string newer = read("s"), older = read("s.older");
  REQUIRE(newer != older);
  for (const bool first : {false, true}) {
    CAPTURE(first);
    disturbed.everywhere(
        [&] {
          prepare()();
          run(first ? "rm -f s" : "cp s.older s");
        },
        kBuilder + command,
        [&] {
          CHECK((first && !fs::exists(path() + "/s") ? true
                                                     : read("s") == newer || read("s") == older));
          again(kBuilder + command);
          CHECK(read("s") == newer);
        });
  }
}

TEST_CASE_FIXTURE(Trusted, "a trust that is disturbed is the old version or the new one") {
  const std::string change = kKeys +
                             "trust change t.json --revoke 'k.pub=laptop stolen' --add "
                             "release=k2.pub --sign root.key";
  run("cp t.json t.older && " + change + " && mv t.json t.newer");
  const std::string older = read("t.older"), newer = read("t.newer");
  disturbed.everywhere([&] { run("cp t.older t.json && rm -f s"); }, change,
                       [&] {
                         const std::string now = read("t.json");
                         CHECK((now == older || now == newer));
                         // A change that came through is not made twice.
                         if (now == older) again(change);
                         CHECK(read("t.json") == newer);
                         again(kKeys + "trust verify t.json --state s");
                       });

  const std::string init = kKeys + "trust init --out n.json --expires 2099-01-01 --add " +
                           "root=root.pub --add release=k.pub --sign root.key";
  run(init);
  const std::string made = read("n.json");
  disturbed.everywhere([&] { run("rm -f n.json"); }, init,
                       [&] {
                         if (fs::exists(path() + "/n.json")) {
                           CHECK(read("n.json") == made);
                         } else {
                           again(init);
                         }
                         CHECK(read("n.json") == made);
                       });

  const std::string sign = kKeys + "trust sign h.json --key root.key";
  run(kKeys + "trust init --out h.older --expires 2099-01-01 --add root=root.pub --add " +
      "release=k.pub || [ $? = 4 ] && cp h.older h.json && " + sign + " && mv h.json h.newer");
  disturbed.everywhere([&] { run("cp h.older h.json"); }, sign,
                       [&] {
                         const std::string now = read("h.json");
                         CHECK((now == read("h.older") || now == read("h.newer")));
                         if (now == read("h.older")) again(sign);
                         CHECK(read("h.json") == read("h.newer"));
                       });

  const std::string verify = kKeys + "trust verify t.newer --state seen";
  disturbed.everywhere([&] { run("rm -f seen"); }, verify, [&] { again(verify); });
}

TEST_CASE_FIXTURE(Stored, "a key that is made is there whole or not at all") {
  const std::string command = kKeys + "generate --no-passphrase --out n";
  disturbed.everywhere(
      [&] { run("rm -f n.key n.pub n*.unfinished.*"); }, command,
      [&] {
        if (fs::exists(path() + "/n.key")) {
          run("echo x > m && minisign -S -s n.key -m m");
          run("rm -f n.key n.pub");
        }
        run("rm -f n.pub");
        again(command);
        run("echo x > m && minisign -S -s n.key -m m && minisign -V -p n.pub -m m");
      });
}

}  // namespace weir::builder
