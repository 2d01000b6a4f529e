// Passphrases at a terminal of the test's own, and what of them others could see.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <sstream>
#include <string>
#include <vector>

#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "tests/folders.h"
#include "tests/unit/keys/scratch.h"

namespace weir::keys {
namespace {

using testing::run;
using testing::Scratch;

const std::string kWeirKeys = test::build_folder() + "/bin/weir-keys";
constexpr int kPatience = 60'000;

/// weir-keys with a terminal, which the test holds the other end of.
class AtTerminal {
 public:
  /// A job can be stopped: a shell's process, which waits for it, leads the session.
  enum class As { leader, job };

  explicit AtTerminal(const std::vector<std::string>& command, As as,
                      const char* passphrase = nullptr) {
    std::array<int, 2> told{};
    REQUIRE(::pipe2(told.data(), O_CLOEXEC) == 0);
    REQUIRE(::openpty(&master_, &slave_, nullptr, nullptr, nullptr) == 0);
    ::fcntl(master_, F_SETFD, FD_CLOEXEC);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::setsid();
      ::ioctl(slave_, TIOCSCTTY, 0);
      pid_t job = as == As::job ? ::fork() : 0;
      if (job != 0) {
        if (::write(told[1], &job, sizeof job) != sizeof job) ::_exit(127);
        int status = 0;
        ::waitpid(job, &status, 0);
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
      }
      if (as == As::job) to_foreground(slave_);
      execute(command, slave_, passphrase);
    }
    ::close(told[1]);
    program_ = child_;
    if (as == As::job) REQUIRE(::read(told[0], &program_, sizeof program_) == sizeof program_);
    ::close(told[0]);
  }
  AtTerminal(const AtTerminal&) = delete;
  AtTerminal& operator=(const AtTerminal&) = delete;
  ~AtTerminal() {
    if (child_ > 0) {
      ::kill(program_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    ::close(master_);
    ::close(slave_);
  }

  /// Reads until the program has said this.
  void wait_for(const std::string& text) {
    while (said_.find(text) == std::string::npos) {
      pollfd ready{master_, POLLIN, 0};
      REQUIRE_MESSAGE(::poll(&ready, 1, kPatience) == 1, said_);
      std::array<char, 512> piece{};
      const ssize_t n = ::read(master_, piece.data(), piece.size());
      REQUIRE_MESSAGE(n > 0, said_);
      said_.append(piece.data(), static_cast<std::size_t>(n));
    }
    said_.erase(0, said_.find(text) + text.size());
  }
  void type(const std::string& keys) const {
    REQUIRE(::write(master_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  void send(int signal) const { REQUIRE(::kill(program_, signal) == 0); }
  [[nodiscard]] bool echoes() const {
    termios now{};
    REQUIRE(::tcgetattr(slave_, &now) == 0);
    return (now.c_lflag & ECHO) != 0 && (now.c_lflag & ICANON) != 0;
  }
  /// Its status when it has ended.
  [[nodiscard]] int wait() {
    int status = 0;
    REQUIRE(::waitpid(child_, &status, 0) == child_);
    child_ = -1;
    return status;
  }
  /// Waits until its process has this state (proc(5)).
  void wait_until(char state) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatience);
    for (;;) {
      const auto stat = read_file("/proc/" + std::to_string(program_) + "/stat", ByteCount{4096});
      REQUIRE(stat.has_value());
      if ((*stat)[stat->rfind(')') + 2] == state) return;
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      ::sched_yield();
    }
  }
  [[nodiscard]] pid_t pid() const { return program_; }

 private:
  static void to_foreground(int terminal) {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGTTOU);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::setpgid(0, 0);
    ::tcsetpgrp(terminal, ::getpid());
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
  }
  [[noreturn]] static void execute(const std::vector<std::string>& command, int terminal,
                                   const char* passphrase) {
    for (const int fd : {0, 1, 2}) ::dup2(terminal, fd);
    if (passphrase == nullptr) {
      ::unsetenv("WEIR_PASSPHRASE");
    } else {
      ::setenv("WEIR_PASSPHRASE", passphrase, 1);
    }
    std::vector<char*> argv;
    argv.reserve(command.size() + 1);
    for (const std::string& each : command) argv.push_back(const_cast<char*>(each.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }

  int master_ = -1, slave_ = -1;
  pid_t child_ = -1, program_ = -1;
  std::string said_;
};

std::vector<std::string> generate(const Scratch& folder) {
  return {kWeirKeys, "generate", "--out", folder / "k"};
}

}  // namespace

TEST_CASE("echo is back after every signal that ends or stops weir-keys at its prompt") {
  // signal(7), for Linux on x86: all whose default action is Term, Core or Stop and that can be
  // caught; of the real-time signals the first, one inside and the last. Not SIGXFSZ, which the
  // programs ignore.
  for (const int signal :
       {SIGHUP,    SIGINT,  SIGQUIT, SIGILL,  SIGTRAP, SIGABRT,  SIGBUS,       SIGFPE,
        SIGUSR1,   SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,  SIGSTKFLT,    SIGXCPU,
        SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSYS,  SIGRTMIN, SIGRTMIN + 9, SIGRTMAX}) {
    CAPTURE(signal);
    const Scratch folder;
    AtTerminal program(generate(folder), AtTerminal::As::leader);
    program.wait_for("New passphrase for ");
    CHECK_FALSE(program.echoes());
    program.send(signal);
    const int status = program.wait();
    // Who sent it is told by what, as if nobody had caught it.
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
    CHECK_FALSE(WCOREDUMP(status));
    CHECK(program.echoes());
  }
}

TEST_CASE("a stopped prompt gives the terminal back, and asks anew when it goes on") {
  const Scratch folder;
  AtTerminal program(generate(folder), AtTerminal::As::job);
  program.wait_for("New passphrase for ");
  program.wait_for(": ");
  for (const int signal : {SIGTSTP, SIGTTIN, SIGTTOU}) {
    CAPTURE(signal);
    program.type("half");
    program.send(signal);
    program.wait_until('T');
    CHECK(program.echoes());
    program.send(SIGCONT);
    program.wait_for("New passphrase for ");
    program.wait_for(": ");
    CHECK_FALSE(program.echoes());
  }
  program.type("horse\r");
  program.wait_for("The same again: ");
  program.type("horse\r");
  program.wait_for("public key: ");
  CHECK(WEXITSTATUS(program.wait()) == 0);
  CHECK(program.echoes());
}

TEST_CASE("control characters end the prompt instead of joining the passphrase") {
  for (const std::string& keys :
       {std::string("ab\x03"), std::string("ab\x04"), std::string("\x04"), std::string("ab\x1a"),
        std::string("ab\x1c"), std::string("ab\x1b[A"), std::string("ab\t"),
        std::string("\0", 1)}) {
    const Scratch folder;
    AtTerminal program(generate(folder), AtTerminal::As::leader);
    program.wait_for("New passphrase for ");
    program.wait_for(": ");
    program.type(keys);
    program.wait_for("no passphrase was given");
    CHECK(WEXITSTATUS(program.wait()) == 1);
    CHECK(program.echoes());
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

TEST_CASE("what a terminal does not show ends the prompt, and is told") {
  // ECMA-48: C1 is 08/00 to 09/15. UnicodeData.txt: of Cf U+200B, U+202E, U+2066, U+E0041; U+FEFF.
  for (const auto& one : {std::pair<std::string, std::string>{"ab\t", "a tab"},
                          {"ab\x1b[A", "an escape"},
                          {"ab\xc2\x80", "a control character"},
                          {"ab\xc2\x9b", "a control character"},
                          {"ab\xc2\x9f", "a control character"},
                          {"\xe2\x80\x8b", "a character that cannot be seen"},
                          {"ab\xe2\x80\xae", "a character that cannot be seen"},
                          {"ab\xe2\x81\xa6", "a character that cannot be seen"},
                          {"\xc3\xa9\xef\xbb\xbf", "a character that cannot be seen"},
                          {"ab\xf3\xa0\x81\x81", "a character that cannot be seen"}}) {
    CAPTURE(one.second);
    const Scratch folder;
    AtTerminal program(generate(folder), AtTerminal::As::leader);
    program.wait_for("New passphrase for ");
    program.wait_for(": ");
    program.type(one.first);
    program.wait_for("no passphrase was given: " + one.second);
    CHECK(WEXITSTATUS(program.wait()) == 1);
    CHECK(program.echoes());
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

TEST_CASE("letters of all planes, and bytes that are no UTF-8, join the passphrase") {
  const Scratch folder;
  AtTerminal program(generate(folder), AtTerminal::As::leader);
  // U+00A0, U+00E9, U+20AC, U+1F600; then ISO 8859-1 for an e with an acute accent, and
  // continuation bytes alone.
  const std::string typed = "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xe9z\x80\x9b";
  program.wait_for("New passphrase for ");
  program.wait_for(": ");
  program.type(typed + "\r");
  program.wait_for("The same again: ");
  // What differs is told before anything is derived.
  program.type(typed + "x\r");
  program.wait_for("the two passphrases differ");
  CHECK(WEXITSTATUS(program.wait()) == 1);
}

TEST_CASE("a line is corrected by backspace, character by character, and by Ctrl-U") {
  const Scratch folder;
  AtTerminal program(generate(folder), AtTerminal::As::leader);
  program.wait_for("New passphrase for ");
  program.type(
      "wrong\x15hors\xc3\xa9\x7f"
      "e\r");
  program.wait_for("The same again: ");
  program.type("x\bhorse\r");
  program.wait_for("deriving the key from the passphrase");
  program.wait_for("public key: ");
  CHECK(WEXITSTATUS(program.wait()) == 0);
}

TEST_CASE("weir-keys has no core dumps, and belongs to nobody who could trace it") {
  const Scratch folder;
  REQUIRE(run("chmod 777 " + folder.path() + " && cp " + kWeirKeys + " " + folder / "weir-keys" +
              " && chmod 755 " + folder / "weir-keys")
              .status == 0);
  std::vector<std::string> command{folder / "weir-keys", "generate", "--out", folder / "k"};
  // Of root's processes all files belong to root anyway.
  if (::geteuid() == 0) {
    command.insert(command.begin(), {"/usr/bin/setpriv", "--reuid=65534", "--clear-groups"});
  }
  AtTerminal program(command, AtTerminal::As::leader);
  program.wait_for("New passphrase for ");
  const std::string process = "/proc/" + std::to_string(program.pid());
  const std::string limit = run("grep 'Max core file size' " + process + "/limits").output;
  std::istringstream words(limit.substr(std::string("Max core file size").size()));
  std::string soft, hard;
  words >> soft >> hard;
  CHECK_MESSAGE((soft == "0" && hard == "0"), limit);
  // proc(5): so it is of a process whose "dumpable" attribute is not 1.
  struct stat info {};
  REQUIRE(::stat((process + "/environ").c_str(), &info) == 0);
  CHECK(info.st_uid == 0);
}

TEST_CASE("a passphrase leaves the environment before anything is made with it") {
  const Scratch folder;
  const std::string mark = "correct-horse-battery-staple";
  AtTerminal program({kWeirKeys, "generate", "--out", folder / "k"}, AtTerminal::As::leader,
                     mark.c_str());
  // scrypt takes a second and more, and the key file comes after it. Before the program is executed
  // the process is this one.
  const std::string process = "/proc/" + std::to_string(program.pid());
  bool gone = false;
  while (!gone && !std::filesystem::exists(folder / "k.key")) {
    const auto name = read_file(process + "/comm", ByteCount{64});
    const auto shown = read_file(process + "/environ", ByteCount{1 << 20});
    if (!name || !shown) break;
    gone = *name == "weir-keys\n" && shown->find("PATH=") != std::string::npos &&
           shown->find(mark) == std::string::npos;
  }
  if (::geteuid() == 0) CHECK(gone);
  program.wait_for("deriving the key from the passphrase");
  program.wait_for("public key: ");
  CHECK(WEXITSTATUS(program.wait()) == 0);
}

}  // namespace weir::keys
