// weir-keys as a person runs it.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "tests/folders.h"
#include "tests/unit/keys/scratch.h"
#include "tests/unit/keys/secret_files.h"

namespace weir::keys {
namespace {

using testing::Finished;
using testing::run;
using testing::Scratch;

const std::string kProgram = test::build_folder() + "/bin/weir-keys ";

/// No terminal and no passphrase but the one given, stderr with stdout.
Finished weir_keys(const std::string& arguments, const std::string& passphrase = "") {
  const std::string environment =
      passphrase.empty() ? "env -u WEIR_PASSPHRASE " : "env WEIR_PASSPHRASE='" + passphrase + "' ";
  return run(environment + "setsid " + kProgram + arguments + " </dev/null 2>&1");
}

unsigned mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 0777;
}

std::string read(const std::string& path) {
  return *read_file(path, ByteCount{1 << 20});
}

}  // namespace

TEST_CASE("generate, sign and verify work together and with minisign") {
  const Scratch folder;
  const std::string prefix = folder / "release";
  REQUIRE(write_file(folder / "doc", "text").has_value());
  const auto made = weir_keys("generate --no-passphrase --out " + prefix);
  REQUIRE_MESSAGE(made.status == 0, made.output);
  CHECK(mode_of(prefix + ".key") == 0600);
  CHECK(mode_of(prefix + ".pub") == 0644);
  const std::string line = run("tail -n 1 " + prefix + ".pub").output;
  CHECK(weir_keys("public " + prefix + ".pub").output == line);
  CHECK(weir_keys("public " + prefix + ".key").output == line);

  const auto made_signature = weir_keys("sign " + folder / "doc" + " --key " + prefix + ".key");
  REQUIRE_MESSAGE(made_signature.status == 0, made_signature.output);
  const auto checked = weir_keys("verify " + folder / "doc" + " --key " + prefix + ".pub");
  CHECK_MESSAGE(checked.status == 0, checked.output);
  CHECK(checked.output.find("file:doc") != std::string::npos);
  CHECK(run("minisign -Vm " + folder / "doc" + " -p " + prefix + ".pub").status == 0);

  const auto no_key = weir_keys("verify " + folder / "doc" + " --key " + folder / "absent.pub");
  CHECK(no_key.status == 1);
  CHECK(no_key.output.find("absent.pub: No such file or directory; put there what its owner gave "
                           "you; weir-keys generate") != std::string::npos);

  const auto unsigned_file = weir_keys("verify " + prefix + ".pub --key " + prefix + ".pub");
  CHECK(unsigned_file.status == 1);
  CHECK(unsigned_file.output.find("release.pub.minisig: No such file or directory; say with "
                                  "--signature where it is, or sign ") != std::string::npos);

  REQUIRE(write_file(folder / "doc", "texT").has_value());
  const auto changed = weir_keys("verify " + folder / "doc" + " --key " + prefix + ".pub --json");
  CHECK(changed.status == 1);
  CHECK(changed.output.find("does not fit these bytes") != std::string::npos);
  CHECK(changed.output.find(R"({"error":{"code":"unauthorized")") != std::string::npos);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitizers need more address space than any limit leaves.
TEST_CASE("without memory a command is refused like any other") {
  const Scratch folder;
  const std::string prefix = folder / "release";
  REQUIRE(weir_keys("generate --no-passphrase --out " + prefix).status == 0);
  REQUIRE(run("truncate -s 512M " + folder / "doc").status == 0);
  const auto refused = run("ulimit -v 400000; " + kProgram + "sign " + folder / "doc" + " --key " +
                           prefix + ".key 2>&1");
  CHECK(refused.status == 1);
  CHECK(refused.output == "weir-keys: not enough memory\n");
  CHECK_FALSE(std::filesystem::exists(folder / "doc.minisig"));
}
#endif

TEST_CASE("generate never overwrites, and leaves nothing half made") {
  const Scratch folder;
  const std::string prefix = folder / "key";
  REQUIRE(write_file(prefix + ".pub", "mine").has_value());
  const auto refused = weir_keys("generate --no-passphrase --out " + prefix);
  CHECK(refused.status == 1);
  CHECK(refused.output.find("key.pub: is there already") != std::string::npos);
  CHECK(read(prefix + ".pub") == "mine");
  CHECK_FALSE(std::filesystem::exists(prefix + ".key"));
  const auto absent = weir_keys("generate --no-passphrase --out " + folder / "no/such/folder");
  CHECK(absent.status == 1);
  CHECK(absent.output.find("there is no folder") != std::string::npos);
}

TEST_CASE("sign and trust write over no secret, whatever its kind, and no plan says they would") {
  const Scratch folder;
  const std::string prefix = folder / "release", trust = folder / "t.json";
  REQUIRE(weir_keys("generate --no-passphrase --out " + prefix).status == 0);
  REQUIRE(weir_keys("trust init --out " + trust + " --add root=" + prefix + ".pub --sign " +
                    prefix + ".key")
              .status == 0);
  REQUIRE(write_file(folder / "doc", "text").has_value());
  std::filesystem::create_directory(folder / "kept");
  const auto secrets = test::make_secrets(folder / "kept");
  const auto refused = [](const std::string& command) {
    CAPTURE(command);
    const auto out = weir_keys(command);
    CHECK(out.status == 1);
    CHECK_MESSAGE(out.output.find("which nothing may overwrite") != std::string::npos, out.output);
  };
  for (const auto& secret : secrets) {
    const auto& name = secret.first;
    CAPTURE(name);
    const std::string place = folder / "kept/" + name;
    const std::string sign =
        "sign " + folder / "doc" + " --key " + prefix + ".key --signature " + place;
    refused(sign + " --plan");
    refused(sign);
    CHECK(read(place) == secret.second);
  }
  const std::string identity = folder / "kept/identity";
  refused("trust verify " + trust + " --first-use --state " + identity);
  refused("trust change " + trust + " --expires 90d --sign " + prefix + ".key --out " + identity);
  CHECK(read(identity) == secrets.at("identity"));
  // The signature beside the document has a place too.
  const std::string id = run("head -1 " + prefix + ".pub").output.substr(39, 16);
  const std::string beside = folder / "x.json." + id + ".minisig";
  REQUIRE(run("cp " + identity + " " + beside).status == 0);
  refused("trust show " + trust + " --extract " + folder / "x");
  CHECK(read(beside) == secrets.at("identity"));
  CHECK_FALSE(std::filesystem::exists(folder / "x.json"));
}

TEST_CASE("--plan writes nothing") {
  const Scratch folder;
  CHECK(weir_keys("generate --plan --out " + folder / "a").status == 0);
  CHECK(weir_keys("generate-wireguard --plan --out " + folder / "b --key-file " + folder / "c")
            .status == 0);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a plan promises no write that cannot be, and names the folder that is in the way") {
  const Scratch folder;
  const std::string pub = folder / "p.pub", key = folder / "p.key";
  REQUIRE(weir_keys("generate --no-passphrase --out " + folder / "p").status == 0);
  REQUIRE(write_file(folder / "m", "x").has_value());
  REQUIRE(weir_keys("trust init --out " + folder / "t.json --add root=" + pub + " --sign " + key)
              .status == 0);
  // Not writable: for everybody but root, so the last is tried as somebody else.
  REQUIRE(run("mkdir -m 555 " + folder / "shut" + " && chmod 777 " + folder.path() +
              " && chmod 644 " + key)
              .status == 0);
  const std::string missing = folder / "no/x", shut = folder / "shut/x";
  for (const std::string& place : {missing, shut}) {
    for (const std::string& command :
         {"generate --no-passphrase --out " + place, "generate-wireguard --out " + place,
          "generate-wireguard --out " + folder / "i --key-file " + place,
          "sign " + folder / "m --key k --signature " + place,
          "trust init --add root=" + pub + " --out " + place,
          "trust change " + folder / "t.json --expires 90d --out " + place,
          "trust show " + folder / "t.json --extract " + place,
          "trust verify " + folder / "t.json --state " + place}) {
      CAPTURE(command);
      const auto refused =
          run(std::string(::geteuid() == 0 ? "setpriv --reuid=65534 --clear-groups " : "") +
              kProgram + command + " --plan </dev/null 2>&1");
      CHECK(refused.status == 1);
      CHECK_MESSAGE(refused.output.find(place == missing ? "there is no folder"
                                                         : "ermission denied") != std::string::npos,
                    refused.output);
    }
  }
}

TEST_CASE("a plan reads the key that would sign as its order does") {
  const Scratch folder;
  REQUIRE(weir_keys("generate --no-passphrase --out " + folder / "p").status == 0);
  REQUIRE(run("cd " + folder.path() +
              " && echo junk > junk && chmod 600 junk && cp p.key open && chmod 644 open && "
              "mkfifo -m 600 pipe && echo x > m && head -c 64 /dev/zero > d.digest "
              "&& echo x > d.comment")
              .status == 0);
  for (const auto& [key, says] : {std::pair{"open", "chmod 600"},
                                  {"junk", "junk: not a minisign secret key file"},
                                  {"pipe", "is a pipe"},
                                  {"none", "none: No such file"}}) {
    for (const std::string& command :
         {"sign " + folder / "m" + " --key ", "sign-digest " + folder / "d" + " --key ",
          "trust init --add root=" + folder / "p.pub" + " --out " + folder / "t" + " --sign "}) {
      for (const char* plan : {" --plan", ""}) {
        const auto refused = weir_keys(command + folder / key + plan);
        CAPTURE(command);
        CHECK(refused.status == 1);
        CHECK_MESSAGE(refused.output.find(says) != std::string::npos, refused.output);
      }
    }
  }
}

TEST_CASE("a signature replaces neither what it signs nor a secret key") {
  const Scratch folder;
  const auto keys = [&](const std::string& arguments) {
    return run("cd " + folder.path() + " && " + test::build_folder() + "/bin/weir-keys " +
               arguments + " 2>&1");
  };
  REQUIRE(keys("generate --out k --no-passphrase").status == 0);
  REQUIRE(run("cd " + folder.path() + " && echo mine > f && ln f same && sha256sum f k.key > sums")
              .status == 0);
  for (const char* place : {"f", "./f", "same", "k.key"}) {
    for (const char* plan : {" --plan", ""}) {
      CAPTURE(place);
      const auto refused =
          keys("sign f --key k.key --signature " + std::string(place) + std::string(plan));
      CHECK_MESSAGE(refused.status == 1, refused.output);
      CHECK(refused.output.find(place) != std::string::npos);
    }
  }
  CHECK(run("cd " + folder.path() + " && sha256sum -c --quiet sums").status == 0);
}

TEST_CASE("a file that is too large to be signed is not read first") {
  const Scratch folder;
  REQUIRE(weir_keys("generate --no-passphrase --out " + folder / "k").status == 0);
  REQUIRE(run("truncate --size 5G " + folder / "large").status == 0);
  const auto refused = weir_keys("sign " + folder / "large" + " --key " + folder / "k.key");
  CHECK(refused.status == 1);
  CHECK_MESSAGE(refused.output.find("large: larger than 1.0 GiB") != std::string::npos,
                refused.output);
  CHECK_FALSE(std::filesystem::exists(folder / "large.minisig"));
  // The largest memory that it had, in KiB.
  const auto memory =
      run("python3 -c 'import resource, subprocess, sys; "
          "subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL); "
          "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' " +
          kProgram + "sign " + folder / "large" + " --key " + folder / "k.key");
  CHECK_MESSAGE(std::stol(memory.output) < 400'000, memory.output);
}

TEST_CASE("two names of one file are refused, and nothing is made") {
  const Scratch folder;
  const std::string there = folder / "x";
  REQUIRE(run("mkdir " + folder / "d").status == 0);
  for (const std::string& same : {there, folder / "./x", folder / "d/../x"}) {
    const auto refused = weir_keys("generate-wireguard --out " + there + " --key-file " + same);
    CHECK(refused.status == 1);
    CHECK_MESSAGE(refused.output.find("are one file") != std::string::npos, refused.output);
    CHECK_FALSE(std::filesystem::exists(there));
  }
  const auto relative = run("cd " + folder.path() + " && " + kProgram +
                            "generate-wireguard --out x --key-file ./x 2>&1");
  CHECK_MESSAGE(relative.output.find("are one file") != std::string::npos, relative.output);
}

TEST_CASE("of two files that are made together both are there or none") {
  const Scratch folder;
  REQUIRE(write_file(folder / "b", "mine").has_value());
  CHECK(write_new_files({{folder / "a", "x", 0600}, {folder / "b", "y", 0600}}).error().code ==
        Errc::busy);
  CHECK(write_new_files({{folder / "a", "x", 0600}, {folder / "no/b", "y", 0600}}).error().code ==
        Errc::not_found);
  CHECK(run("ls " + folder.path()).output == "b\n");
  CHECK(read(folder / "b") == "mine");
  CHECK(write_new_files({{folder / "a", "x", 0600}, {folder / "c", "y", 0644}}).has_value());
  CHECK(run("ls " + folder.path()).output == "a\nb\nc\n");
}

TEST_CASE("without a terminal a passphrase is asked for by name") {
  const Scratch folder;
  for (const char* command : {"generate --out ", "generate-wireguard --out "}) {
    const auto refused = weir_keys(command + folder / "a");
    CHECK(refused.status == 1);
    CHECK(refused.output.find("set WEIR_PASSPHRASE") != std::string::npos);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("generate-wireguard seals with a key file, made where it is missing") {
  const Scratch folder;
  const auto made =
      weir_keys("generate-wireguard --out " + folder / "id" + " --key-file " + folder / "seal");
  REQUIRE_MESSAGE(made.status == 0, made.output);
  CHECK(mode_of(folder / "id") == 0600);
  CHECK(mode_of(folder / "seal") == 0600);
  CHECK(read(folder / "seal").size() == 32);
  const auto identity = read_identity(folder / "id", folder / "seal");
  REQUIRE_MESSAGE(identity.has_value(), identity.error().message);
  CHECK(weir_keys("public " + folder / "id").output ==
        identity->current().public_key().string() + "\n");
  CHECK(made.output.find(base64_of(identity->current().private_key().bytes())) ==
        std::string::npos);
  CHECK(read_identity(folder / "id", std::nullopt).error().message.find("sealed with a key file") !=
        std::string::npos);

  // A second identity under the same key file.
  CHECK(weir_keys("generate-wireguard --out " + folder / "id2 --key-file " + folder / "seal")
            .status == 0);
  CHECK(read_identity(folder / "id2", folder / "seal").has_value());
  REQUIRE(write_file(folder / "short", "x", 0600).has_value());
  CHECK(weir_keys("generate-wireguard --out " + folder / "id3 --key-file " + folder / "short")
            .output.find("exactly 32 bytes") != std::string::npos);
}

TEST_CASE("generate-wireguard seals with a passphrase") {
  const Scratch folder;
  const auto made = weir_keys("generate-wireguard --out " + folder / "id", "horse");
  REQUIRE(made.status == 0);
  CHECK_MESSAGE(made.output.starts_with("public key: "), made.output);
  ::setenv("WEIR_PASSPHRASE", "horse", 1);
  CHECK(read_identity(folder / "id", std::nullopt).has_value());
  ::setenv("WEIR_PASSPHRASE", "house", 1);
  CHECK(read_identity(folder / "id", std::nullopt).error().code == Errc::unauthorized);
  ::unsetenv("WEIR_PASSPHRASE");
}

TEST_CASE("public knows every kind of key file and says so where it is none") {
  const Scratch folder;
  REQUIRE(run("umask 077; wg genkey > " + folder / "wg").status == 0);
  CHECK(weir_keys("public " + folder / "wg").output == run("wg pubkey < " + folder / "wg").output);
  REQUIRE(write_file(folder / "junk", "junk\n").has_value());
  const auto junk = weir_keys("public " + folder / "junk");
  CHECK(junk.status == 1);
  CHECK(junk.output.find("neither a minisign key") != std::string::npos);
  CHECK(weir_keys("public " + folder / "absent").output.find("No such file") != std::string::npos);
}

TEST_CASE("public shows both epochs of an identity, first the one that clients get now") {
  const Scratch folder;
  const std::string corpus = test::source_folder() + "/tests/fuzz/corpus/identity/throw_away_";
  REQUIRE(write_file(folder / "id", read(corpus + "two_epochs"), 0600).has_value());
  // RFC 7748, section 6.1: Bob's, and Alice's, by `wg pubkey`.
  const std::string current = "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=",
                    outgoing = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
  CHECK(weir_keys("public " + folder / "id").output ==
        current + "\non its way out: " + outgoing + "\n");
  const auto json = weir_keys("public --json " + folder / "id").output;
  CHECK(json.find("\"public_key\":\"" + current + "\"") != std::string::npos);
  CHECK(json.find("\"outgoing_public_key\":\"" + outgoing + "\"") != std::string::npos);
  REQUIRE(write_file(folder / "id", read(corpus + "one_epoch"), 0600).has_value());
  CHECK(weir_keys("public " + folder / "id").output == outgoing + "\n");
  CHECK(weir_keys("public --json " + folder / "id").output.find("outgoing") == std::string::npos);
}

TEST_CASE("wrong usage exits with 2, help with 0 and examples") {
  CHECK(weir_keys("").status == 2);
  CHECK(weir_keys("ufo").status == 2);
  CHECK(weir_keys("generate").status == 2);
  CHECK(weir_keys("generate --out a --ufo").status == 2);
  CHECK(weir_keys("--help").status == 0);
  for (const char* command : {"generate", "generate-wireguard", "public", "sign", "verify"}) {
    const auto help = weir_keys(std::string(command) + " --help");
    CHECK(help.status == 0);
    CHECK(help.output.find("examples:") != std::string::npos);
  }
}

}  // namespace weir::keys
