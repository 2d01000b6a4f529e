#include "manifests/base/edge/harden_process.h"

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "manifests/base/edge/file.h"

namespace weir {

TEST_CASE("a hardened process dumps no core, is not dumpable, and logs no TLS keys") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("SSLKEYLOGFILE", "keys", 1);
    harden_process();
    rlimit cores{1, 1};
    ::getrlimit(RLIMIT_CORE, &cores);
    const bool hard = cores.rlim_cur == 0 && cores.rlim_max == 0 &&
                      ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                      std::getenv("SSLKEYLOGFILE") == nullptr;
    ::_exit(hard ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a variable that is taken is in no environment, and its bytes are overwritten") {
  const std::string text = "a secret that nobody shall see";
  ::setenv("WEIR_TEST_TAKEN", text.c_str(), 1);
  {
    const TakenVariable taken = TakenVariable::take("WEIR_TEST_TAKEN");
    REQUIRE(taken.value() != nullptr);
    CHECK(taken.value() == text);
    CHECK(std::getenv("WEIR_TEST_TAKEN") == nullptr);
  }
  CHECK(TakenVariable::take("WEIR_TEST_TAKEN").value() == nullptr);
}

}  // namespace weir
