#include "manifests/base/edge/harden_process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <cstring>

namespace weir {

void harden_process() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // A core that is piped to a program knows no limit (core(5)); who is not dumpable has none.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::unsetenv("SSLKEYLOGFILE");
}

TakenVariable TakenVariable::take(const char* name) {
  char* value = std::getenv(name);
  if (value != nullptr) ::unsetenv(name);
  return {name, value};
}

TakenVariable::~TakenVariable() {
  if (value_ == nullptr) return;
  // NAME=VALUE is one string (environ(7)).
  const std::size_t front = std::strlen(name_) + 1;
  ::explicit_bzero(value_ - front, front + std::strlen(value_));
}

}  // namespace weir
