// What weir-keys writes, killed or on a full disk at each of its calls.
#include <string>

#include "tests/faults/stored_fixture.h"

namespace weir::builder {
namespace {

/// A trust file, and its keys.
struct Trust : Stored {
  const std::string init = kKeys +
                           "trust init --out n.json --expires 2099-01-01 --add root=root.pub "
                           "--add release=k.pub --sign root.key";
  Trust() {
    for (const char* who : {"root", "k2"}) {
      run(std::string("minisign -G -W -p ") + who + ".pub -s " + who + ".key > /dev/null");
    }
    run(init + " && mv n.json t.older");
  }
};

}  // namespace

TEST_CASE_FIXTURE(Trust, "a trust that is disturbed is the old version or the new one") {
  const std::string change =
      kKeys + "trust change t.json --revoke 'k.pub=laptop stolen' --add release=k2.pub ";
  const auto older = [&] { run("cp t.older t.json && rm -f s s.lock t.json.pending"); };
  replaces(older, change + "--sign root.key", "t.json", Repeats::until_done);
  again(kKeys + "trust verify t.json --state s");
  replaces([&] { run("rm -f n.json"); }, init, "n.json", Repeats::until_done);
  replaces([&] { run("rm -f seen seen.lock"); }, kKeys + "trust verify t.json --state seen",
           "seen");
  replaces([&] { run("rm -f v.json"); }, kKeys + "trust show t.json --extract v", "v.json");
}

TEST_CASE_FIXTURE(Trust, "a trust that waits for signatures is the old version or the new one") {
  run(kKeys +
      "trust init --out h.older --expires 2099-01-01 --add root=root.pub --add "
      "release=k.pub || [ $? = 4 ]");
  replaces([&] { run("cp h.older h.json"); }, kKeys + "trust sign h.json --key root.key", "h.json",
           Repeats::until_done);

  // A change that is not signed enough waits beside it, and takes its place with the signature.
  run("cp t.older t.json && { " + kKeys +
      "trust change t.json --add release=k2.pub || [ $? = 4 ]; } && mv t.json.pending p.older");
  const std::string sign = kKeys + "trust sign t.json.pending --key root.key";
  const auto waiting = [&] { run("cp t.older t.json && cp p.older t.json.pending"); };
  waiting();
  again(sign);
  const std::string newer = read("t.json"), older = read("t.older");
  disturbed.everywhere(waiting, sign, [&](bool done) {
    const std::string now = read("t.json");
    CHECK((now == newer || (!done && now == older)));
    CHECK((now == newer || fs::exists(path() + "/t.json.pending")));
    if (fs::exists(path() + "/t.json.pending")) again(sign);
    CHECK(read("t.json") == newer);
  });
}

TEST_CASE_FIXTURE(Stored, "a key that is made is there whole or not at all") {
  const std::string command = kKeys + "generate --no-passphrase --out n";
  const std::string works =
      "echo x > m && minisign -S -s n.key -m m && minisign -V -q -p n.pub -m m && rm m m.minisig";
  disturbed.everywhere([&] { run("rm -f n.key n.pub n*.unfinished.*"); }, command,
                       [&](bool done) {
                         if (done) run(works);
                         if (fs::exists(path() + "/n.key")) {
                           run("echo x > m && minisign -S -s n.key -m m");
                           run("rm -f n.key n.pub");
                         }
                         run("rm -f n.pub");
                         again(command);
                         run(works);
                       });
}

TEST_CASE_FIXTURE(Stored, "of a key that is interrupted both files are there or none") {
  const auto fresh = [&] { run("rm -f n.key n.pub"); };
  disturbed.interrupted_everywhere(
      [&] {
        CHECK(fs::exists(path() + "/n.key") == fs::exists(path() + "/n.pub"));
        fresh();
      },
      kKeys + "generate --no-passphrase --out n");
  CHECK(fs::exists(path() + "/n.key") == fs::exists(path() + "/n.pub"));
}

TEST_CASE_FIXTURE(Stored, "an identity that is made is there whole or not at all") {
  for (const bool new_seal : {true, false}) {
    CAPTURE(new_seal);
    const std::string command = kKeys + "generate-wireguard --out n.identity --key-file n.seal";
    run("rm -f n.* && head -c 32 /dev/urandom > seal && chmod 600 seal");
    disturbed.everywhere(
        [&] {
          run("rm -f n.identity* n.seal*" + std::string(new_seal ? "" : " && cp -p seal n.seal"));
        },
        command,
        [&](bool done) {
          // A key file comes first: an identity is never without the one that opens it.
          if (done || fs::exists(path() + "/n.identity")) {
            CHECK(fs::file_size(path() + "/n.seal") == 32);
            run("rm n.identity");
          }
          again(command);
          CHECK(fs::file_size(path() + "/n.seal") == 32);
          CHECK((new_seal || read("n.seal") == read("seal")));
        });
  }
}

TEST_CASE_FIXTURE(Stored, "a signature that is made is the old one or the new one") {
  write("m", "message");
  const std::string sign = kKeys + "sign m --key k.key --comment c";
  replaces([&] { run("rm -f m.minisig"); }, sign, "m.minisig");
  replaces([&] { run("echo old > m.minisig"); }, sign, "m.minisig");
  run("minisign -V -q -p k.pub -m m");

  REQUIRE(builder("build image.yaml --unsigned --store store --cache cache").status == 0);
  again(kBuilder + "export-digest demo --store store --out d");
  replaces([&] { run("rm -f d.minisig"); }, kKeys + "sign-digest d --key k.key", "d.minisig");
}

}  // namespace weir::builder
