#include "manifests/base/edge/interruption.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "manifests/base/edge/unfinished.h"
#include "tests/unit/images/scratch.h"
#include "tests/unit/names_in.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

using test::names_in;

// A process that begins something, and then does as it is told until a signal ends it.
// returns  its status, as waitpid has it
int interrupted(int signal, const std::function<void()>& begin,
                const std::function<void()>& go_on) {
  std::array<int, 2> ready{};
  REQUIRE(::pipe(ready.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    clean_up_when_interrupted();
    begin();
    if (::write(ready[1], "x", 1) != 1) std::_Exit(9);
    for (;;) go_on();
  }
  ::close(ready[1]);
  char byte = 0;
  CHECK(::read(ready[0], &byte, 1) == 1);
  ::close(ready[0]);
  CHECK(::kill(child, signal) == 0);
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("who is interrupted ends by the signal and leaves nothing unfinished") {
  // Those of signal(7) whose default ends a process and which a person, a shell, a timer or a limit
  // sends.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2,
                           SIGXCPU, SIGVTALRM, SIGPROF, SIGPOLL}) {
    CAPTURE(signal);
    const test::TemporaryFolder folder;
    const std::string disk = folder.path + "/disk", release = folder.path + "/release";
    const int status = interrupted(
        signal,
        [&] {
          if (!write_file(folder.path + "/whole", "whole") || !make_unfinished_file(disk)) {
            std::_Exit(8);
          }
          const auto made = make_unfinished_folder(release);
          if (!made || !make_folders(made->path + "/a/b") ||
              !write_file(made->path + "/a/b/c", "part")) {
            std::_Exit(7);
          }
        },
        [] { ::pause(); });
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == signal);
    CHECK(names_in(folder.path) == std::set<std::string>{"whole"});
  }
}

TEST_CASE("who is interrupted says so, in a line that begins with the program's name") {
  const test::TemporaryFolder folder;
  const std::string said = folder.path + "/said";
  const int status = interrupted(
      SIGINT,
      [&] {
        if (std::freopen(said.c_str(), "w", stderr) == nullptr) std::_Exit(8);
      },
      [] { ::pause(); });
  CHECK(WIFSIGNALED(status));
  CHECK(test::bytes_of(said) == "unit_manifests: interrupted\n");
}

TEST_CASE("who is interrupted between two steps that belong together is so after both") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/pair";
  const int status = interrupted(
      SIGINT, [] {},
      [&] {
        const Uninterrupted whole;
        for (const char* half : {".a", ".b"}) {
          if (!write_file(path + half, "x")) std::_Exit(8);
        }
        for (const char* half : {".a", ".b"}) fs::remove(path + half);
      });
  CHECK(WIFSIGNALED(status));
  CHECK(names_in(folder.path).empty());
}

TEST_CASE("a folder that is being filled by others is removed all the same") {
  const test::TemporaryFolder folder;
  const int status = interrupted(
      SIGTERM,
      [&] {
        const auto made = make_unfinished_folder(folder.path + "/out");
        if (!made || ::chdir(made->path.c_str()) != 0) std::_Exit(7);
      },
      [n = 0]() mutable { std::ofstream(std::to_string(++n)) << "x"; });
  CHECK(WIFSIGNALED(status));
  CHECK(names_in(folder.path).empty());
}

TEST_CASE("a folder that is removed is not made again by who makes folders in it") {
  for (int i = 0; i < 20; ++i) {
    const test::TemporaryFolder folder;
    std::string filled;
    const int status = interrupted(
        SIGTERM,
        [&] {
          const auto made = make_unfinished_folder(folder.path + "/out");
          if (!made) std::_Exit(7);
          filled = made->path + "/blobs/sha256";
        },
        [&] { (void)make_folders(filled); });
    CHECK(WIFSIGNALED(status));
    CHECK(names_in(folder.path).empty());
  }
}

TEST_CASE("a limit on the size of files is an error of the write that meets it") {
  const test::TemporaryFolder folder;
  const std::string said = folder.path + "/said";
  const int status = interrupted(
      SIGTERM,
      [&] {
        const rlimit small{100, 100};
        ::setrlimit(RLIMIT_FSIZE, &small);
        const auto written = write_file(folder.path + "/large", std::string(1000, 'x'));
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &none);
        if (written || !write_file(said, written.error().message)) std::_Exit(8);
      },
      [] { ::pause(); });
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));
  CHECK(test::bytes_of(said).ends_with("/large: File too large"));
  CHECK(names_in(folder.path) == std::set<std::string>{"said"});
}

TEST_CASE("a signal that is ignored stays so") {
  const test::TemporaryFolder folder;
  ::signal(SIGHUP, SIG_IGN);
  const int status = interrupted(
      SIGTERM, [] { ::raise(SIGHUP); }, [] { ::pause(); });
  ::signal(SIGHUP, SIG_DFL);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}

}  // namespace weir
