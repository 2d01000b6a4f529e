#include "manifests/base/edge/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "manifests/base/edge/file.h"
#include "tests/patience.h"
#include "tests/unit/images/scratch.h"

namespace weir {
namespace {

using namespace std::chrono_literals;

Program shell(const std::string& text) {
  return {.path = "/bin/sh", .arguments = {"-c", text}, .environment = {kProgramPath}};
}

Ended ran(const Program& program, std::string_view input = {}) {
  auto ended = run(program, input, {.time = test::kPatience});
  REQUIRE_MESSAGE(ended.has_value(), (ended ? "" : ended.error().message));
  return *ended;
}

Ended ran(const std::string& text) {
  return ran(shell(text));
}

bool is_root() {
  return ::geteuid() == 0;
}

}  // namespace

TEST_CASE("a program reads what it is given and its three outputs come back apart") {
  const std::string long_input(300'000, 'x');
  Program copy = shell("cat; echo complaint >&2; echo more >&3; exit 7");
  copy.extra = Stream::captured();
  const Ended ended = ran(copy, long_input);
  CHECK(ended.output == long_input);
  CHECK(ended.error == "complaint\n");
  CHECK(ended.extra == "more\n");
  CHECK(ended.status == 7);
  CHECK(ran("kill -9 $$").status == 128 + SIGKILL);
}

TEST_CASE("a program gets the arguments, environment and descriptors that are named, no others") {
  const Fd bait(::open("/etc/hostname", O_RDONLY));  // without O_CLOEXEC, as a careless library
  const Fd wanted(::fcntl(bait.get(), F_DUPFD_CLOEXEC, 20));
  Program program = shell("echo $#-$0-$1; env; ls /proc/self/fd");
  program.arguments.insert(program.arguments.end(), {"a b", "c"});
  program.environment = {"PATH=/usr/bin:/bin", "ONE=1"};
  program.inherited = {wanted.get()};
  const std::string said = ran(program).output;
  CAPTURE(said);
  CHECK(said.starts_with("1-a b-c\n"));
  CHECK(said.find("ONE=1\n") != std::string::npos);
  CHECK(said.find("HOME=") == std::string::npos);
  const std::string open_files = said.substr(said.rfind("0\n1\n2\n"));
  // The fourth is the folder that ls reads.
  CHECK((open_files == "0\n1\n2\n20\n3\n" || open_files == "0\n1\n2\n3\n20\n"));
}

TEST_CASE("what is over its time, or says too much, is ended and named") {
  const auto late = run(shell("sleep 60"), {}, {.time = 50ms});
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == Errc::timeout);
  CHECK(late.error().message == "/bin/sh: did not end within 50 ms");
  // It ended its output, but not itself.
  CHECK(run(shell("exec >&- 2>&-; sleep 60"), {}, {.time = 100ms}).error().code == Errc::timeout);
  const auto loud =
      run(shell("cat /dev/zero"), {}, {.time = test::kPatience, .output = ByteCount{100'000}});
  CHECK(loud.error().code == Errc::exhausted);
  CHECK(loud.error().message.starts_with("/bin/sh: wrote more than "));
}

TEST_CASE("a program that is asked to end may say good-bye; one that does not listen is killed") {
  const Program polite = shell("trap 'echo bye >&2; exit 0' TERM; while :; do sleep 0.01; done");
  const std::string log = "/tmp/weir-process-test-" + std::to_string(::getpid());
  const Fd out(::open(log.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  Program heard = polite;
  heard.error = Stream::to(out.get());
  CHECK(run(heard, {}, {.time = 300ms, .grace = 20s}).error().code == Errc::timeout);
  CHECK(read_file(log, ByteCount{100}).value() == "bye\n");
  CHECK(run(shell("trap '' TERM; while :; do :; done"), {}, {.time = 100ms, .grace = 100ms})
            .error()
            .code == Errc::timeout);
  ::unlink(log.c_str());
}

TEST_CASE("a program takes nothing from the owner of what it makes, whatever our umask") {
  for (const auto& [ours, theirs] : {std::pair<mode_t, const char*>(0777, "0077\n"),
                                     {0722, "0022\n"},
                                     {0027, "0027\n"},
                                     {0, "0000\n"}}) {
    const mode_t before = ::umask(ours);
    const auto ended = run(shell("umask"), {}, {.time = test::kPatience});
    ::umask(before);
    REQUIRE(ended.has_value());
    CHECK(ended->output == theirs);
  }
}

TEST_CASE("an interrupted run ends by SIGINT and is an error") {
  std::atomic<bool> stop = false;
  std::thread later([&] { stop = true; });
  const auto ended = run(shell("sleep 60"), {},
                         {.time = test::kPatience, .interrupted = [&] { return stop.load(); }});
  later.join();
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().code == Errc::busy);
}

TEST_CASE("an interrupted run that does not take SIGINT is asked once more, by SIGTERM") {
  const test::TemporaryFolder folder;
  const std::string ready = folder.path + "/ready";
  const auto ended =
      run(shell("trap '' INT; : > " + ready + "; sleep 60"), {},
          {.time = test::kPatience, .interrupted = [&] { return std::filesystem::exists(ready); }});
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().code == Errc::busy);
}

TEST_CASE("a child that the program leaves behind with its output is not waited for") {
  const auto before = std::chrono::steady_clock::now();
  const Ended ended = ran("echo here; sleep 30 & exit 0");
  CHECK(ended.output == "here\n");
  CHECK(std::chrono::steady_clock::now() - before < 20s);
}

TEST_CASE("a program that is not there, or is none, is named") {
  const auto missing = run({.path = "/nonexistent/tool"}, {}, {.time = 1s});
  CHECK(missing.error().code == Errc::not_found);
  CHECK(missing.error().message.starts_with("/nonexistent/tool: execve: "));
  const auto text = run({.path = "/etc/passwd"}, {}, {.time = 1s});
  CHECK(text.error().code == Errc::io);
  CHECK(text.error().sys == EACCES);
  CHECK(find_program("weir-no-such-tool").error().code == Errc::not_found);
  CHECK(find_program("sh").has_value());
  CHECK(find_program("/any/where").value() == "/any/where");
  CHECK(run_sibling("weir-no-such-tool", {}, {.time = 1s}).error().code == Errc::not_found);
}

TEST_CASE("a failure is told by the first line of what the program said") {
  const Program program = shell("");
  CHECK(require_success(program, 0, "a warning\n").has_value());
  const Status failed = require_success(program, 3, "first\nsecond\n");
  CHECK(failed.error().message == "/bin/sh: exit status 3: first");
  CHECK(require_success(program, 1, "").error().message == "/bin/sh: exit status 1");
}

TEST_CASE("signals that we block, handle or ignore are as usual for the program") {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  const auto pipe = ::signal(SIGPIPE, SIG_IGN);
  const auto interrupt = ::signal(SIGINT, SIG_IGN);  // as in a shell's background job
  const std::string masks = ran("grep -E '^Sig(Blk|Ign):' /proc/self/status").output;
  const auto hang_up = ::signal(SIGHUP, SIG_IGN);  // as under nohup
  const std::string under_nohup = ran("grep -E '^SigIgn:' /proc/self/status").output;
  ::signal(SIGHUP, hang_up);
  ::signal(SIGINT, interrupt);
  ::signal(SIGPIPE, pipe);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(masks == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  CHECK(under_nohup == "SigIgn:\t0000000000000001\n");
}

TEST_CASE("a spawned program stays, is known again, and ends alone") {
  Program program = shell("sleep 60");
  CHECK(spawn(program).error().code == Errc::bug);
  program.output = program.error = Stream::nothing();
  program.group = ProcessGroup::session;
  const auto process = spawn(program);
  REQUIRE(process.has_value());
  CHECK(identify(process->pid).value() == *process);
  CHECK(::getsid(process->pid) == process->pid);
  CHECK(observe(*process).value().has_value());
  // Another process that had the same pid before.
  const ProcessId earlier{process->pid, process->start_ticks - 1};
  CHECK_FALSE(observe(earlier).value().has_value());
  CHECK(kill_process(earlier).has_value());
  CHECK(wait_for_end(earlier, 0ms).value());
  CHECK(observe(*process).value().has_value());

  CHECK_FALSE(wait_for_end(*process, 0ms).value());
  CHECK(signal_process(*process, SIGTERM).has_value());
  int status = 0;
  CHECK(::waitpid(process->pid, &status, 0) == process->pid);
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
  CHECK(wait_for_end(*process, 0ms).value());
  CHECK_FALSE(observe(*process).value().has_value());
  CHECK(identify(process->pid).error().code == Errc::not_found);
}

TEST_CASE("a program ends with whoever started it when it was asked to") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    Program program = shell("sleep 60");
    program.output = program.error = Stream::nothing();
    program.parent_death_signal = SIGKILL;
    const auto process = spawn(program);
    const ProcessId id = process ? *process : ProcessId{};
    ::_exit(::write(ends[1], &id, sizeof id) == sizeof id ? 0 : 1);
  }
  ProcessId process;
  REQUIRE(::read(ends[0], &process, sizeof process) == sizeof process);
  REQUIRE(process.pid > 0);
  CHECK(wait_for_end(process, 20s).value());
  ::waitpid(middle, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("an unprivileged program has no capabilities, and limits hold") {
  if (!is_root()) return;
  Program program = shell(
      "grep -E '^(Cap...|NoNewPrivs|Uid|Groups):' /proc/self/status; "
      "ulimit -c; ulimit -f");
  program.confinement = {.user = 64001,
                         .groups = {64002},
                         .unprivileged = true,
                         .limits = {{RLIMIT_CORE, 0}, {RLIMIT_FSIZE, 51200}}};
  CHECK(ran(program).output ==
        "Uid:\t64001\t64001\t64001\t64001\nGroups:\t64002 \n"
        "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
        "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n0\n100\n");
  // Root stays root, with nothing it could do.
  program.confinement = {.unprivileged = true};
  CHECK(ran(program).output.find("CapEff:\t0000000000000000\n") != std::string::npos);
}

TEST_CASE("a program in namespaces of its own sees no network, and hidden folders are empty") {
  if (!is_root()) return;
  Program program = shell(
      "for n in net mnt ipc uts; do readlink /proc/self/ns/$n; done; "
      "wc -l < /proc/self/net/dev; ls -A /tmp /run; touch /etc/weir-test 2>&1");
  const auto ours = [](const std::string& kind) {
    return ran("readlink /proc/" + std::to_string(::getpid()) + "/ns/" + kind).output;
  };
  program.confinement = {.namespaces = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
                         .hidden = {"/tmp", "/run", "/nonexistent/folder"}};
  const Ended ended = ran(program);
  CAPTURE(ended.output);
  for (const char* kind : {"net", "mnt", "ipc", "uts"}) {
    CHECK(ended.output.find(kind + std::string(":[")) != std::string::npos);
    CHECK(ended.output.find(ours(kind)) == std::string::npos);
  }
  // Two lines of heading, and lo.
  CHECK(ended.output.find("\n3\n/run:\n\n/tmp:\n") != std::string::npos);
  CHECK(ended.output.find("Read-only file system") != std::string::npos);
}

}  // namespace weir
