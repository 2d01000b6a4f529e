// weir-keys trust as a person runs it, with keys that the stock minisign made.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <chrono>
#include <future>
#include <optional>
#include <string>

#include "keys/trust/edge/trust_files.h"
#include "manifests/base/edge/file.h"
#include "tests/folders.h"
#include "tests/unit/keys/scratch.h"

namespace weir::keys {
namespace {

using testing::Finished;
using testing::run;
using testing::Scratch;

struct Office {
  Scratch folder;

  Office() {
    for (const char* name : {"alice", "bob", "carol", "dora"}) {
      const std::string prefix = folder / name;
      REQUIRE(run("minisign -G -W -f -p " + prefix + ".pub -s " + prefix + ".key 2>&1").status ==
              0);
    }
  }
  [[nodiscard]] Finished trust(const std::string& arguments) const {
    return run("cd " + folder.path() + " && env -u WEIR_PASSPHRASE setsid " + test::build_folder() +
               "/bin/weir-keys trust " + arguments + " </dev/null 2>&1");
  }
  void init() const {
    const auto made = trust(
        "init --out t.json --add root=alice.pub --add root=bob.pub --threshold root=2 "
        "--add release=carol.pub --expires 2099-01-01 --sign alice.key --sign bob.key");
    REQUIRE_MESSAGE(made.status == 0, made.output);
    CHECK(made.output == "t.json: holds version 1, signed by enough root keys\n");
  }
};

bool has(const Finished& finished, const char* text) {
  return finished.output.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a trust is made, signed by two people, verified, and checked by minisign") {
  const Office office;
  const auto half = office.trust(
      "init --out t.json --add root=alice.pub --add root=bob.pub --threshold root=2 --sign "
      "alice.key");
  REQUIRE_MESSAGE(half.status == 4, half.output);
  CHECK(has(half, "not complete yet"));
  CHECK(has(half, "release has the keys of root, since no --add release=FILE.pub names others"));
  CHECK(has(half, ": 1 more of the root keys of version 1: bob ("));
  const auto early = office.trust("verify t.json");
  CHECK(early.status == 1);
  CHECK(has(early, "signed by 1 of the 2 keys it takes"));
  CHECK(has(office.trust("sign t.json --key alice.key"), "has signed version 1 already"));
  CHECK(has(office.trust("sign t.json --key carol.key"), "is not a root key"));
  CHECK(has(office.trust("sign t.json --key bob.key"), "signed by enough root keys"));
  CHECK(office.trust("verify t.json --state s").status == 0);
  CHECK(has(office.trust("init --out t.json --add root=alice.pub"), "is there already"));

  REQUIRE(office.trust("show t.json --extract v1").status == 0);
  for (const char* name : {"alice", "bob"}) {
    const auto checked =
        run("cd " + office.folder.path() + " && for s in v1.json.*.minisig; do minisign -V -p " +
            name + ".pub -m v1.json -x $s 2>/dev/null && exit; done; exit 1");
    CHECK_MESSAGE(checked.status == 0, checked.output);
  }
}

TEST_CASE("a signature that minisign made over a version counts") {
  const Office office;
  REQUIRE(office.trust("init --out t.json --add root=alice.pub").status == 4);
  REQUIRE(office.trust("show t.json --extract v1").status == 0);
  REQUIRE(
      run("cd " + office.folder.path() + " && minisign -S -s alice.key -m v1.json 2>&1").status ==
      0);
  const auto added = office.trust("sign t.json --signature v1.json.minisig");
  CHECK_MESSAGE(added.status == 0, added.output);
  const auto checked = office.trust("verify t.json");
  CHECK_MESSAGE(checked.status == 0, checked.output);
  CHECK(has(office.trust("sign t.json --signature v1.json.minisig"), "has signed version 1"));
  // By a stranger, over something else, and none at all.
  const std::string minisign = "cd " + office.folder.path() + " && minisign -S -x other.minisig ";
  REQUIRE(office.trust("change t.json --expires 2098-01-01").status == 4);
  REQUIRE(run(minisign + "-s carol.key -m v1.json 2>&1").status == 0);
  CHECK(has(office.trust("sign t.json.pending --signature other.minisig"), "is not a root key"));
  REQUIRE(run(minisign + "-s alice.key -m v1.json 2>&1").status == 0);
  CHECK(has(office.trust("sign t.json.pending --signature other.minisig"), "does not fit"));
  CHECK(office.trust("sign t.json.pending --signature alice.pub").status == 1);
  CHECK(office.trust("sign t.json.pending").status == 2);
  CHECK(office.trust("sign t.json.pending --key alice.key --signature other.minisig").status == 2);
}

TEST_CASE("a key is revoked, the state follows, and the old trust is refused afterwards") {
  const Office office;
  office.init();
  REQUIRE(office.trust("verify t.json --state s").status == 0);
  const auto changed = office.trust(
      "change t.json --revoke 'carol.pub=stolen laptop' --add release=dora.pub --sign alice.key "
      "--sign bob.key --out t2.json");
  REQUIRE_MESSAGE(changed.status == 0, changed.output);
  CHECK(has(office.trust("show t2.json"), "(carol): stolen laptop"));
  CHECK(office.trust("verify t2.json --state s --plan").status == 0);
  CHECK(office.trust("verify t.json --state s").status == 0);
  CHECK(office.trust("verify t2.json --state s").status == 0);
  const auto old = office.trust("verify t.json --state s");
  CHECK(old.status == 1);
  CHECK(has(old, "somebody brings back an old trust"));
  const auto expired = office.trust("verify t2.json --at 2099-01-01");
  CHECK(expired.status == 1);
  CHECK(has(expired, "expired at 2099-01-01T00:00:00Z"));
  CHECK(has(office.trust("change t2.json --add release=carol.pub"), "cannot come back"));
}

TEST_CASE("who verifies waits for another who does, and goes by what that one accepted") {
  const Office office;
  office.init();
  REQUIRE(office
              .trust("change t.json --expires 2098-01-01 --sign alice.key --sign bob.key --out "
                     "t2.json")
              .status == 0);
  REQUIRE(office.trust("verify t2.json --state s").status == 0);
  const std::string newer = *read_file(office.folder / "s", ByteCount{1 << 20});
  REQUIRE(run("rm " + (office.folder / "s") + " " + (office.folder / "s.lock")).status == 0);
  std::optional<Fd> lock(
      ::open((office.folder / "s.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::flock(lock->get(), LOCK_EX) == 0);
  auto old =
      std::async(std::launch::async, [&] { return office.trust("verify t.json --state s"); });
  // Ours, and that of who waits.
  const auto waits = [&] {
    return run("ls -l /proc/[0-9]*/fd 2> /dev/null | grep -c ' " + (office.folder / "s.lock") +
               "$'")
               .output != "1\n";
  };
  while (!waits() && old.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
  }
  REQUIRE(write_file(office.folder / "s", newer).has_value());
  lock.reset();
  const Finished refused = old.get();
  CHECK(refused.status == 1);
  CHECK_MESSAGE(has(refused, "version 2 was accepted here before"), refused.output);
  CHECK(*read_file(office.folder / "s", ByteCount{1 << 20}) == newer);
}

TEST_CASE("a first use is told, a lost state is refused, and a pin holds at the first use too") {
  const Office office;
  office.init();
  const auto first = office.trust("verify t.json --state s");
  CHECK(first.status == 0);
  CHECK_MESSAGE(has(first, "weir-keys: s: is not there, so this is its first use"), first.output);
  // SHA-256 as coreutils computes it, of the first version as minisign would see it.
  const auto sum = run("cd " + office.folder.path() + " && " + test::build_folder() +
                       "/bin/weir-keys trust show t.json --extract v >/dev/null && "
                       "printf sha256: && sha256sum v.json | head -c 64");
  const std::string digest = sum.output;
  CHECK(has(first, ("version 1 is " + digest).c_str()));
  CHECK(has(office.trust("show t.json"), ("version 1 is " + digest).c_str()));
  CHECK_FALSE(has(office.trust("verify t.json --state s"), "first use"));

  CHECK(has(office.trust("verify t.json --state typo --plan"), "typo: is not there"));
  REQUIRE(std::filesystem::remove(office.folder / "s"));
  for (const char* how : {"", " --plan", " --at 2098-01-01"}) {
    const auto lost = office.trust("verify t.json --state s" + std::string(how));
    CHECK(lost.status == 1);
    CHECK_MESSAGE(has(lost, "s: is missing, and s.lock shows that it was there"), lost.output);
  }
  CHECK_FALSE(std::filesystem::exists(office.folder / "s"));
  CHECK(office.trust("verify t.json --state s --first-use").status == 0);
  CHECK(office.trust("verify t.json --state s").status == 0);

  CHECK(office.trust("verify t.json --pin " + digest).status == 0);
  const auto pinned = office.trust("verify t.json --state new --pin " + digest);
  CHECK(pinned.status == 0);
  CHECK_FALSE(has(pinned, "believed as it is"));
  std::string other = digest;
  other.back() = other.back() == '0' ? '1' : '0';
  const auto refused = office.trust("verify t.json --state other --pin " + other);
  CHECK(refused.status == 1);
  CHECK_MESSAGE(has(refused, "is pinned: this is the trust of another fleet"), refused.output);
  CHECK_FALSE(std::filesystem::exists(office.folder / "other"));
  // What was refused at once is no state that was lost.
  CHECK(office.trust("verify t.json --state other").status == 0);
  // A later version has the same first one.
  REQUIRE(
      office.trust("change t.json --expires 2098-01-01 --sign alice.key --sign bob.key").status ==
      0);
  CHECK(office.trust("verify t.json --state s --pin " + digest).status == 0);
}

TEST_CASE("a trust file that works is replaced by one that works, and by nothing else") {
  const Office office;
  office.init();
  const auto text = [&](const char* name) {
    return *read_file(office.folder / name, ByteCount{1 << 20});
  };
  const std::string before = text("t.json");
  const auto half = office.trust("change t.json --add release=dora.pub --sign alice.key");
  CHECK(half.status == 4);
  CHECK_MESSAGE(has(half, "t.json.pending: holds version 2, not complete yet"), half.output);
  CHECK(has(half, "1 more of the root keys of versions 1 and 2: bob ("));
  CHECK(has(half, "t.json stays as it is until then"));
  CHECK(text("t.json") == before);
  CHECK(office.trust("verify t.json").status == 0);
  CHECK(has(office.trust("change t.json --expires 2098-01-01 --sign alice.key"),
            "another change waits for signatures"));
  const auto whole = office.trust("sign t.json.pending --key bob.key");
  CHECK_MESSAGE(whole.status == 0, whole.output);
  CHECK(has(whole, "t.json: now holds version 2, signed by enough root keys"));
  CHECK_FALSE(std::filesystem::exists(office.folder / "t.json.pending"));
  CHECK(has(office.trust("verify t.json"), "version 2"));

  // One that was overtaken stays where it is.
  REQUIRE(office.trust("change t.json --expires 2097-01-01 --sign alice.key").status == 4);
  const std::string both = " --sign alice.key --sign bob.key";
  REQUIRE(office.trust("change t.json --expires 2096-01-01" + both).status == 0);
  const auto late = office.trust("sign t.json.pending --key bob.key");
  CHECK(late.status == 1);
  CHECK(has(late, "was changed meanwhile"));
  CHECK(has(office.trust("verify t.json"), "good until 2096-01-01"));
}

TEST_CASE("changes that are made at once all come into the trust") {
  const Office office;
  office.init();
  const auto at_once = [&](const std::string& commands) {
    return run("cd " + office.folder.path() + " && weir() { " + test::build_folder() +
               "/bin/weir-keys trust \"$@\" > /dev/null 2>&1 & }; " + commands + "; wait");
  };
  (void)at_once(
      "for c in one two three four; do weir change t.json --channel $c --sign alice.key "
      "--sign bob.key; done");
  const auto shown = office.trust("show t.json");
  REQUIRE_MESSAGE(shown.status == 0, shown.output);
  for (const char* channel : {"one", "two", "three", "four"}) {
    CHECK_MESSAGE(has(shown, channel), shown.output);
  }
  CHECK(has(office.trust("verify t.json"), "version 5"));

  // Signatures: of a new trust, and of a version that waits for them beside the one in force.
  REQUIRE(office
              .trust("init --out n.json --add root=alice.pub --add root=bob.pub --add "
                     "root=dora.pub --threshold root=3")
              .status == 4);
  (void)at_once("for k in alice bob dora; do weir sign n.json --key $k.key; done");
  CHECK(has(office.trust("verify n.json"), "version 1"));
  REQUIRE(office.trust("change n.json --channel lab").status == 4);
  (void)at_once("for k in alice bob dora; do weir sign n.json.pending --key $k.key; done");
  CHECK(has(office.trust("verify n.json"), "version 2"));
}

TEST_CASE("trust init and change make no version that has expired by the clock") {
  const Office office;
  const auto first =
      office.trust("init --out t.json --add root=alice.pub --expires 2020-01-01 --sign alice.key");
  CHECK(first.status == 1);
  CHECK_MESSAGE(has(first, "would have expired at 2020-01-01"), first.output);
  office.init();
  CHECK(office.trust("change t.json --expires 2020-01-01 --sign alice.key").status == 1);
}

TEST_CASE("who verifies without a state is told what is not noticed then") {
  const Office office;
  office.init();
  CHECK(has(office.trust("verify t.json"), "without --state FILE"));
  CHECK_FALSE(has(office.trust("verify t.json --state s"), "without --state FILE"));
}

TEST_CASE("a root key that left is called by its name, and what a revocation lacks is said") {
  const Office office;
  office.init();
  const auto removed = office.trust(
      "change t.json --remove root=alice.pub --add root=dora.pub --sign alice.key --sign bob.key "
      "--out t2.json");
  CHECK(removed.status == 4);
  CHECK(has(removed, "1 more of the root keys of version 2: dora ("));
  const auto checked = office.trust("verify t2.json");
  CHECK(checked.status == 1);
  CHECK_MESSAGE(has(checked, "(alice) signed it, but is no longer in version 2"), checked.output);
  const auto fewer = office.trust("change t.json --revoke bob.pub=gone");
  CHECK(fewer.status == 1);
  CHECK_MESSAGE(has(fewer,
                    "role root: 2 of its keys must sign, and only 1 would be left: give it another "
                    "with --add root=FILE.pub, or ask for fewer with --threshold root=1"),
                fewer.output);
  CHECK(has(office.trust("change t.json --revoke carol.pub=gone"), "--add release=FILE.pub"));
  CHECK(
      office.trust("change t.json --revoke carol.pub=gone --add release=dora.pub --plan").status ==
      0);
}

TEST_CASE("a trust file's name reaches the terminal as one line that does nothing") {
  const Office office;
  office.init();
  const std::string name = "x\n\033[31mforged\u009b\u202e.json";
  std::filesystem::rename(office.folder / "t.json", office.folder / name);
  const auto told = office.trust("sign '" + name + "' --key bob.key --plan");
  CHECK_MESSAGE(has(told, "x\\n\\x1b[31mforged\\u{009b}\\u{202e}.json"), told.output);
  CHECK_FALSE(has(told, "\033"));
  CHECK_FALSE(has(told, "\nforged"));
  CHECK_FALSE(has(told, "\u202e"));
}

TEST_CASE("whoever signs a trust is told what it changes, before the key is asked for") {
  const Office office;
  office.init();
  REQUIRE(office
              .trust("change t.json --revoke 'carol.pub=stolen laptop' --add release=dora.pub "
                     "--sign alice.key")
              .status == 4);
  for (const char* more : {"--key absent.key", "--key bob.key --plan", "--key bob.key"}) {
    CAPTURE(more);
    const auto told = office.trust("sign t.json.pending " + std::string(more));
    CHECK_MESSAGE(has(told, "t.json.pending: version 2 changes, against version 1:\n"),
                  told.output);
    CHECK(has(told, "(dora)\n  role release loses key "));
    const std::string pub = *read_file(office.folder / "dora.pub", ByteCount{4096});
    const auto line = pub.substr(pub.find('\n') + 1, 56);
    CHECK_MESSAGE(has(told, ("(dora) is new: " + line + " (SHA-256 ").c_str()), told.output);
    CHECK(has(told, "(carol) is revoked: stolen laptop\n"));
    CHECK((told.status == 0) == (std::string(more) != "--key absent.key"));
  }
}

TEST_CASE(
    "a version whose predecessor nobody signed is not signed: its changes would be told wrong") {
  const Office office;
  office.init();
  REQUIRE(office.trust("change t.json --add release=dora.pub --sign alice.key").status == 4);
  REQUIRE(
      run("cd " + office.folder.path() +
          " && sed -i '0,/2099-01-01/s//2098-01-01/' t.json.pending && cp t.json.pending before")
          .status == 0);
  const auto refused = office.trust("sign t.json.pending --key bob.key");
  CHECK_MESSAGE(refused.status == 1, refused.output);
  CHECK_FALSE(has(refused, "changes, against"));
  CHECK(run("cd " + office.folder.path() + " && cmp t.json.pending before").status == 0);
}

TEST_CASE("a trust file with a malformed signature beside good ones is verified and signed") {
  const Office office;
  REQUIRE(office.trust("init --out t.json --add root=alice.pub --add root=bob.pub --sign alice.key")
              .status == 0);
  REQUIRE(
      run("cd " + office.folder.path() +
          " && sed -i 's/\"signatures\": \\[/&\"nonsense\",/' t.json && grep -q nonsense t.json")
          .status == 0);
  for (const char* command :
       {"verify t.json --state s", "show t.json --extract v", "sign t.json --key bob.key",
        "change t.json --expires 90d --sign bob.key"}) {
    const auto done = office.trust(command);
    CHECK_MESSAGE(done.status == 0, done.output);
  }
}

TEST_CASE("weir-keys trust explains itself, and weir-keys says its version") {
  const Office office;
  const auto help = office.trust("--help");
  CHECK(help.status == 0);
  for (const char* command :
       {"trust init", "trust change", "trust sign", "trust show", "trust verify"}) {
    CHECK(has(help, command));
  }
  const auto nothing = office.trust("");
  CHECK(nothing.status == 2);
  CHECK(has(nothing, "trust init"));
  const auto version = run(test::build_folder() + "/bin/weir-keys --version 2>&1");
  CHECK(version.status == 0);
  CHECK(version.output == "weir-keys " WEIR_VERSION "\n");
}

TEST_CASE("a first version without a root key is refused with what to add") {
  const Office office;
  const auto refused = office.trust("init --out t.json --add release=carol.pub --sign carol.key");
  CHECK(refused.status == 1);
  CHECK(
      has(refused, "nobody has the role root, which signs the trust itself: --add root=FILE.pub"));
  CHECK_FALSE(std::filesystem::exists(office.folder / "t.json"));
}

TEST_CASE("changes that cannot be are refused, and nothing is written") {
  const Office office;
  office.init();
  const std::string before = *read_file(office.folder / "t.json", ByteCount{1 << 20});
  const struct {
    const char *arguments, *says;
  } cases[] = {
      {"--threshold root=3", "roles.root.threshold: must be from 1 to the number of keys"},
      {"--revoke bob.pub=gone", "--threshold root=1"},
      {"--remove release=alice.pub", "is not in the role release"},
      {"--add release@lab=dora.pub", "there is no channel 'lab'"},
      {"--add boot-check@stable=dora.pub", "only release can be bound to a channel"},
      {"--add ruler=dora.pub", "is not a role (root, release"},
      {"--remove-channel stable", "channels: must not be empty"},
      {"--revoke 0123456789ABCDEF=gone", "there is no key 0123456789ABCDEF"},
      {"--add release", "must be ROLE=FILE.pub"},
      {"--expires soon", "is not a time"},
      {"--expires 0d", "must be a date or 1d to 3650d"},
      {"--add release=absent.pub",
       "absent.pub: No such file or directory; put there what its owner gave you; weir-keys "
       "generate --out NAME makes NAME.key and NAME.pub"},
  };
  for (const auto& [arguments, says] : cases) {
    const auto& shown = arguments;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto refused = office.trust("change t.json " + std::string(arguments));
    CHECK(refused.status == 1);
    CHECK_MESSAGE(has(refused, says), refused.output);
  }
  CHECK(*read_file(office.folder / "t.json", ByteCount{1 << 20}) == before);
  CHECK(office.trust("change t.json --channel lab --add release@lab=dora.pub --plan").status == 0);
  CHECK(*read_file(office.folder / "t.json", ByteCount{1 << 20}) == before);
  for (const char* command :
       {"change absent.json --add release=dora.pub",
        "change absent.json --add release=dora.pub --plan", "sign absent.json --key bob.key",
        "show absent.json", "verify absent.json"}) {
    const auto refused = office.trust(command);
    CHECK(refused.status == 1);
    CHECK_MESSAGE(
        has(refused, "absent.json: No such file or directory; weir-keys trust init --out"),
        refused.output);
  }
  CHECK(office.trust("change").status == 2);
  CHECK(office.trust("ufo").status == 2);
}

TEST_CASE("files beyond the limits are refused whole, also where their length overflows 32 bits") {
  const Office office;
  const std::string prefix = "cd " + office.folder.path() + " && ";
  // Sparse: 2^32 + 5 bytes, of which a reader with a 32-bit length would see five.
  REQUIRE(run(prefix + "printf hello > big && cp big small && truncate -s 4294967301 big").status ==
          0);
  const std::string keys =
      prefix + "env -u WEIR_PASSPHRASE " + test::build_folder() + "/bin/weir-keys ";
  REQUIRE(run(keys + "sign small --key alice.key 2>&1").status == 0);
  CHECK(run(keys + "sign big --key alice.key 2>&1").status == 1);
  CHECK(run(prefix + "cp small.minisig big.minisig").status == 0);
  CHECK(run(keys + "verify small --key alice.pub 2>&1").status == 0);
  CHECK(run(keys + "verify big --key alice.pub 2>&1").status == 1);
  CHECK(office.trust("verify big").status == 1);
}

}  // namespace weir::keys
