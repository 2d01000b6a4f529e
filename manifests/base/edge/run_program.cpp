#include "manifests/base/edge/run_program.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

namespace weir {
namespace {

const char* program_name = "";
std::terminate_handler other_end = std::abort;

// Nothing here allocates.
void say_no_memory() {
  constexpr const char* kWhy = ": not enough memory\n";
  if (::write(STDERR_FILENO, program_name, std::strlen(program_name)) < 0) return;
  if (::write(STDERR_FILENO, kWhy, std::strlen(kWhy)) < 0) return;
}

// Threads end here, and what may not throw.
[[noreturn]] void on_terminate() {
  try {
    if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    say_no_memory();
    ::_exit(1);
  } catch (...) {
    other_end();
  }
  other_end();
  std::abort();
}

}  // namespace

int run_program(const char* program, const std::function<int()>& run) {
  program_name = program;
  other_end = std::set_terminate(on_terminate);
  try {
    return run();
  } catch (const std::bad_alloc&) {
    say_no_memory();
    return 1;
  }
}

}  // namespace weir
