#include "manifests/base/edge/run_program.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <new>
#include <string>
#include <thread>

namespace weir {
namespace {

struct ChildEnd {
  int status = -1;  // -1: not by an exit
  std::string err;
};

// A process of its own that is nothing but this program.
ChildEnd ends(const std::function<int()>& run) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(pipe[1], STDERR_FILENO);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ::_exit(run_program("weir-test", run));
  }
  ::close(pipe[1]);
  ChildEnd out;
  std::array<char, 256> piece{};
  for (ssize_t n = 0; (n = ::read(pipe[0], piece.data(), piece.size())) > 0;) {
    out.err.append(piece.data(), static_cast<std::size_t>(n));
  }
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) out.status = WEXITSTATUS(status);
  return out;
}

}  // namespace

TEST_CASE("a program ends with what it returns") {
  const ChildEnd good = ends([] { return 4; });
  CHECK(good.status == 4);
  CHECK(good.err.empty());
}

TEST_CASE("no memory is a refusal, in whatever thread") {
  const ChildEnd here = ends([]() -> int { throw std::bad_alloc(); });
  CHECK(here.status == 1);
  CHECK(here.err == "weir-test: not enough memory\n");
  const ChildEnd thread = ends([] {
    std::thread([] { throw std::bad_alloc(); }).join();
    return 0;
  });
  CHECK(thread.status == 1);
  CHECK(thread.err == "weir-test: not enough memory\n");
}

}  // namespace weir
