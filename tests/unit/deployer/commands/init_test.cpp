// `weir-deployer init` as a person meets it: what is written, what is refused, and what is left.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "keys/identity/wireguard_identity.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/peers.h"
#include "tests/folders.h"
#include "tests/patience.h"
#include "tests/text.h"

namespace weir::deployer {
namespace {

using test::has;

namespace fs = std::filesystem;

const std::string kProgram = test::build_folder() + "/bin/weir-deployer";
// RFC 7748, 6.1.
const std::string kAliceKey = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";
const std::vector<std::string> kAnswers = {"--vip", "198.51.100.1", "--upstream",
                                           "eth1",  "--clients",    "10.8.0.0/16"};

struct Folder {
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path + "/" + name; }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(path)) out.insert(entry.path().filename());
    return out;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    const auto text = read_file(path + "/" + name, ByteCount{1 << 20});
    REQUIRE_MESSAGE(text.has_value(), text.error().message);
    return *text;
  }
  std::string path = (fs::temp_directory_path() / "weirt-init-XXXXXX").string();
};

/// Without a terminal, with every answer as a flag.
Ended init(const Folder& folder, const std::vector<std::string>& more,
           const std::vector<std::string>& answers = kAnswers, Confinement confinement = {}) {
  Program program{.path = kProgram,
                  .arguments = {"init", "--fleet", folder / "fleet.yaml"},
                  .environment = {"WEIR_PASSPHRASE=horse"}};
  program.confinement = std::move(confinement);
  for (const auto* words : {&answers, &more}) {
    program.arguments.insert(program.arguments.end(), words->begin(), words->end());
  }
  auto ended = run(program, "", {.time = test::kPatience});
  REQUIRE_MESSAGE(ended.has_value(), ended.error().message);
  return *ended;
}

/// `weir-deployer init` at a terminal, of which the test holds the other end.
class AtTerminal {
 public:
  AtTerminal(const Folder& folder, std::vector<std::string> more) {
    more.insert(more.begin(), {kProgram, "init", "--fleet", folder / "fleet.yaml"});
    child_ = ::forkpty(&master_, nullptr, nullptr, nullptr);
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::unsetenv("WEIR_PASSPHRASE");
      std::vector<char*> words;
      words.reserve(more.size() + 1);
      for (std::string& word : more) words.push_back(word.data());
      words.push_back(nullptr);
      ::execv(words.front(), words.data());
      ::_exit(127);
    }
  }
  AtTerminal(const AtTerminal&) = delete;
  AtTerminal& operator=(const AtTerminal&) = delete;
  ~AtTerminal() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(master_);
  }
  /// Each time from where it found the last.
  void wait_for(const std::string& text) {
    std::size_t at = 0;
    while ((at = said_.find(text, heeded_)) == std::string::npos) REQUIRE_MESSAGE(hear(), said_);
    heeded_ = at + text.size();
  }
  void type(const std::string& keys) const {
    REQUIRE(::write(master_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  /// How it ended: its exit status, or 128 and the signal.
  int wait() {
    while (hear()) {
    }
    int status = 0;
    REQUIRE(::waitpid(child_, &status, 0) == child_);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  /// False: it has ended (EIO), or nothing came in time.
  bool hear() {
    pollfd ready{master_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(test::kPatience.count())) != 1) return false;
    std::array<char, 512> piece{};
    const ssize_t n = ::read(master_, piece.data(), piece.size());
    if (n > 0) said_.append(piece.data(), static_cast<std::size_t>(n));
    return n > 0;
  }

  int master_ = -1;
  pid_t child_ = -1;
  std::string said_;
  std::size_t heeded_ = 0;
};

const char* const kQuestions[] = {"Public address", "Interface that leads on", "Inner networks"};

}  // namespace

TEST_CASE(
    "init with every answer as a flag writes documents that parse, and says what comes next") {
  const Folder folder;
  const Ended ended = init(folder, {"--peer", "alice=" + kAliceKey, "--make-identity", "--json"});
  REQUIRE_MESSAGE(ended.status == 0, ended.error);
  CHECK(folder.names() == std::set<std::string>{"fleet.yaml", "gateway.identity", "peers.jsonl"});
  const auto fleet = manifests::parse_fleet(folder.read("fleet.yaml"));
  REQUIRE(fleet.has_value());
  CHECK(fleet->vip.ipv4->string() == "198.51.100.1");
  CHECK(fleet->directors[0].upstream_interface == "eth1");
  const auto peers = manifests::parse_peers(folder.read("peers.jsonl"));
  REQUIRE(peers.has_value());
  REQUIRE(peers->size() == 1);
  CHECK(peers->front().public_key.string() == kAliceKey);
  CHECK(fs::status(folder / "gateway.identity").permissions() == fs::perms(0600));
  CHECK(keys::sealed_with(folder.read("gateway.identity")).value() ==
        keys::SealingKey::Kind::passphrase);
  const auto told = nlohmann::json::parse(ended.output);
  CHECK(told["wrote"].size() == 3);
  CHECK(has(told["next"].back(), "weir-deployer up --fleet " + folder / "fleet.yaml"));
}

TEST_CASE("init overwrites nothing, and then writes nothing at all") {
  for (const char* there : {"fleet.yaml", "peers.jsonl", "gateway.identity"}) {
    for (const char* plan : {"--plan", ""}) {
      CAPTURE(there);
      CAPTURE(plan);
      const Folder folder;
      REQUIRE(write_file(folder / there, "mine\n").has_value());
      std::vector<std::string> more = {"--make-identity"};
      if (*plan != '\0') more.emplace_back(plan);
      const Ended ended = init(folder, more);
      CHECK(ended.status == 1);
      CHECK(has(ended.error, folder / there + ": is there already"));
      CHECK(folder.names() == std::set<std::string>{there});
      CHECK(folder.read(there) == "mine\n");
    }
  }
  const Folder folder;
  fs::create_symlink("nowhere", folder / "fleet.yaml");
  CHECK(has(init(folder, {}).error, "fleet.yaml: is there already"));
  CHECK(folder.names() == std::set<std::string>{"fleet.yaml"});
}

TEST_CASE(
    "init and its plan refuse a folder that is missing or may not be written to, and name it") {
  const Folder folder;
  fs::permissions(folder.path, fs::perms(0777));
  fs::create_directory(folder / "shut");
  fs::permissions(folder / "shut", fs::perms(0555));
  // Root may write everywhere.
  Confinement somebody;
  if (::geteuid() == 0) somebody.user = 65534;
  for (const char* plan : {"--plan", ""}) {
    for (const auto& [place, says] : {std::pair{"no/peers.jsonl", "there is no folder"},
                                      {"shut/peers.jsonl", "ermission denied"}}) {
      const auto& shown = place;
      CAPTURE(shown);
      CAPTURE(plan);
      std::vector<std::string> more = {"--peers", place};
      if (*plan != '\0') more.emplace_back(plan);
      const Ended ended = init(folder, more, kAnswers, somebody);
      CHECK(ended.status == 1);
      CHECK_MESSAGE(has(ended.error, says), ended.error);
      CHECK(has(ended.error, folder.path));
      CHECK(folder.names() == std::set<std::string>{"shut"});
      CHECK(fs::is_empty(folder / "shut"));
    }
  }
}

TEST_CASE("init refuses one name for two files, and makes neither") {
  for (const char* same : {"fleet.yaml", "./fleet.yaml", ".//fleet.yaml"}) {
    CAPTURE(same);
    const Folder folder;
    for (const char* plan : {"--plan", ""}) {
      std::vector<std::string> more = {"--peers", same};
      if (*plan != '\0') more.emplace_back(plan);
      const Ended ended = init(folder, more);
      CHECK(ended.status == 1);
      CHECK_MESSAGE(has(ended.error, "two files"), ended.error);
      CHECK(folder.names().empty());
    }
  }
}

TEST_CASE("init names the options that are missing where there is no terminal to ask at") {
  const Folder folder;
  const Ended ended = init(folder, {}, {"--upstream", "eth1"});
  CHECK(ended.status == 1);
  CHECK(has(ended.error, "say --vip ADDRESS --clients NETWORK"));
  CHECK_FALSE(has(ended.error, "--upstream"));
  CHECK(folder.names().empty());
}

TEST_CASE("init asks at a terminal for what no option says") {
  const Folder folder;
  AtTerminal program(folder, {});
  program.wait_for(kQuestions[0]);
  program.type("198.51.100.1, 2001:db8::1\r");
  program.wait_for(kQuestions[1]);
  program.type("eth7\r");
  program.wait_for("[10.8.0.0/16]");
  program.type("\r");
  CHECK_MESSAGE(program.wait() == 0, program.said());
  const auto fleet = manifests::parse_fleet(folder.read("fleet.yaml"));
  REQUIRE(fleet.has_value());
  CHECK(fleet->vip.ipv4->string() == "198.51.100.1");
  CHECK(fleet->vip.ipv6->string() == "2001:db8::1");
  CHECK(fleet->directors[0].upstream_interface == "eth7");
  CHECK(fleet->clients == std::vector<Prefix>{*Prefix::parse("10.8.0.0/16")});
}

TEST_CASE("an answer at the terminal that cannot be is told, and asked for again") {
  const Folder folder;
  AtTerminal program(folder, {});
  const auto answer = [&](const char* question, const std::string& keys, const char* says) {
    program.wait_for(question);
    program.type(keys + "\r");
    program.wait_for(says);
    CHECK(folder.names().empty());
  };
  answer(kQuestions[0], "198.51.100", "'198.51.100' is not an IPv4 or IPv6");
  answer(kQuestions[0], "", "this needs an answer");
  answer(kQuestions[0], "198.51.100.1 198.51.100.2", "at most one IPv4 and one IPv6 address");
  answer(kQuestions[0], "127.0.0.1", "vip");
  answer(kQuestions[0], "10.8.0.1", kQuestions[1]);
  program.type("lo\r");
  answer(kQuestions[1], "eth7", kQuestions[2]);
  program.type("10.8.0.0/15\r");  // holds the public address
  program.wait_for(kQuestions[2]);
  program.type("10.9.0.0/16\r");
  CHECK_MESSAGE(program.wait() == 0, program.said());
  const auto fleet = manifests::parse_fleet(folder.read("fleet.yaml"));
  REQUIRE(fleet.has_value());
  CHECK(fleet->vip.ipv4->string() == "10.8.0.1");
  CHECK(fleet->directors[0].upstream_interface == "eth7");
  CHECK(fleet->clients == std::vector<Prefix>{*Prefix::parse("10.9.0.0/16")});
}

TEST_CASE("what no answer at the terminal can mend is refused before a question") {
  for (const auto& [option, value] : {std::pair{"--nodes", "0"},
                                      {"--port", "70000"},
                                      {"--vip", "127.0.0.1"},
                                      {"--peer", "alice"},
                                      {"--probe", "10.8"}}) {
    const auto& shown = option;
    CAPTURE(shown);
    const Folder folder;
    AtTerminal program(folder, {option, value});
    program.type("\x04");  // ends it at a question
    CHECK(program.wait() == 1);
    for (const char* question : kQuestions) {
      CHECK_FALSE_MESSAGE(has(program.said(), question), program.said());
    }
    CHECK(folder.names().empty());
  }
}

TEST_CASE("a place that is taken is refused before a question") {
  for (const char* taken : {"fleet.yaml", "peers.jsonl", "gateway.identity"}) {
    CAPTURE(taken);
    const Folder folder;
    REQUIRE(write_file(folder / taken, "mine\n").has_value());
    AtTerminal program(folder, {"--make-identity"});
    program.type("\x04");
    CHECK(program.wait() == 1);
    CHECK_MESSAGE(has(program.said(), folder / taken + ": is there already"), program.said());
    CHECK_FALSE_MESSAGE(has(program.said(), kQuestions[0]), program.said());
  }
}

TEST_CASE("Ctrl-C and Ctrl-D at any of init's questions leave nothing") {
  const char* const answers[] = {"198.51.100.1\r", "eth1\r", "\r"};
  for (const char* key : {"\x03", "\x04"}) {
    for (std::size_t last = 0; last < 4; ++last) {
      CAPTURE(last);
      const Folder folder;
      AtTerminal program(folder, {"--make-identity"});
      for (std::size_t i = 0; i < last; ++i) {
        program.wait_for(kQuestions[i]);
        program.type(answers[i]);
      }
      program.wait_for(last < 3 ? kQuestions[last] : "New passphrase for gateway.identity");
      program.wait_for(": ");
      program.type(key);
      CHECK_MESSAGE(program.wait() != 0, program.said());
      CHECK(folder.names().empty());
    }
  }
}

TEST_CASE("init takes the gateways' own key for no peer's") {
  const Folder folder;
  REQUIRE(init(folder, {"--make-identity"}).status == 0);
  REQUIRE(fs::remove(folder / "fleet.yaml"));
  REQUIRE(fs::remove(folder / "peers.jsonl"));
  const auto own = keys::sealed_public_keys(folder.read("gateway.identity"));
  REQUIRE(own.has_value());
  for (const char* plan : {"--plan", ""}) {
    std::vector<std::string> more = {"--peer", "alice=" + kAliceKey, "--peer",
                                     "gateway=" + own->current().string()};
    if (*plan != '\0') more.emplace_back(plan);
    const Ended ended = init(folder, more);
    CHECK(ended.status == 1);
    CHECK_MESSAGE(has(ended.error, "the peers as answered:2: public_key: is the gateways' own"),
                  ended.error);
    CHECK(folder.names() == std::set<std::string>{"gateway.identity"});
  }
  CHECK(init(folder, {"--peer", "alice=" + kAliceKey}).status == 0);
}

TEST_CASE("init takes the key of no epoch of an identity for a peer's") {
  const Folder folder;
  const auto sealed =
      read_file(test::source_folder() + "/tests/fuzz/corpus/identity/throw_away_two_epochs",
                ByteCount{1 << 16});
  REQUIRE(sealed.has_value());
  REQUIRE(write_file(folder / "gateway.identity", *sealed, 0600).has_value());
  // RFC 7748, section 6.1: Alice's, then Bob's.
  for (const char* own : {"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=",
                          "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="}) {
    const Ended ended = init(folder, {"--peer", std::string("gateway=") + own});
    CHECK(ended.status == 1);
    CHECK_MESSAGE(has(ended.error, "the peers as answered:1: public_key: is the gateways' own"),
                  ended.error);
  }
}

TEST_CASE("init names the command that makes a key file which is missing, in its plan too") {
  const Folder folder;
  for (const char* plan : {"--plan", ""}) {
    std::vector<std::string> more = {"--make-identity", "--identity-key-file", "new.seal"};
    if (*plan != '\0') more.emplace_back(plan);
    const Ended ended = init(folder, more);
    CHECK(ended.status == 1);
    CHECK_MESSAGE(
        has(ended.error, "--identity-key-file: " + folder / "new.seal" +
                             ": No such file or directory; leave --make-identity out and "
                             "make both: weir-keys generate-wireguard --out " +
                             folder / "gateway.identity" + " --key-file " + folder / "new.seal"),
        ended.error);
    CHECK(folder.names().empty());
  }
}

TEST_CASE("init and plans refuse a state that could not be made, and name what is in the way") {
  for (const std::string state : {"/proc/weir", "/sys/weir", "file/state"}) {
    CAPTURE(state);
    const Folder folder;
    REQUIRE(write_file(folder / "file", "x").has_value());
    const std::string way = state[0] == '/' ? state.substr(0, 4) : folder / "file";
    for (const bool plan : {true, false}) {
      const Ended ended = init(folder, plan ? std::vector<std::string>{"--state", state, "--plan"}
                                            : std::vector<std::string>{"--state", state});
      CHECK(ended.status == 1);
      CHECK_MESSAGE(has(ended.error, way), ended.error);
      CHECK(folder.names() == std::set<std::string>{"file"});
    }
    REQUIRE(init(folder, {}).status == 0);
    std::string fleet = folder.read("fleet.yaml");
    const auto at = fleet.find("state: state");
    REQUIRE(at != std::string::npos);
    REQUIRE(write_file(folder / "fleet.yaml", fleet.replace(at, 12, "state: " + state)));
    const auto ended =
        run({.path = kProgram,
             .arguments = {"up", "--plan", "--release", "one", "--fleet", folder / "fleet.yaml"}},
            "", {.time = test::kPatience});
    REQUIRE(ended.has_value());
    CHECK(ended->status == 1);
    CHECK_MESSAGE(has(ended->error, way), ended->error);
  }
}

TEST_CASE("a state on a file system that is mounted to be read only is refused before a question") {
  if (::geteuid() != 0) return;
  const Folder folder;
  fs::create_directory(folder / "mount");
  // In a mount namespace, which goes with its program.
  const auto ended =
      run({.path = "/usr/bin/unshare",
           .arguments = {"--mount", "sh", "-c", "mount -t tmpfs -o ro none \"$0\" && exec \"$@\"",
                         folder / "mount", kProgram, "init", "--fleet", folder / "fleet.yaml",
                         "--state", "mount/state"}},
          "", {.time = test::kPatience});
  REQUIRE(ended.has_value());
  CHECK(ended->status == 1);
  CHECK_MESSAGE(has(ended->error, "--state: " + (folder / "mount") + ": Read-only file system"),
                ended->error);
  CHECK(folder.names() == std::set<std::string>{"mount"});
}

TEST_CASE("status as JSON says with file and line why it has nothing to tell") {
  const Folder folder;
  REQUIRE(init(folder, {}).status == 0);
  REQUIRE(write_file(folder / "peers.jsonl", "\n{\"name\":\n").has_value());
  const auto ended =
      run({.path = kProgram, .arguments = {"status", "--json", "--fleet", folder / "fleet.yaml"}},
          "", {.time = test::kPatience});
  REQUIRE(ended.has_value());
  CHECK(ended->status == 1);
  const auto told = nlohmann::json::parse(ended->output);
  CHECK(has(told["error"], folder / "peers.jsonl:2"));
  CHECK(told["error_code"] == "invalid input");
}

}  // namespace weir::deployer
