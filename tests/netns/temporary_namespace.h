#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace weir::test {

/// What a command printed, and its exit status.
struct Output {
  int status = -1;
  std::string text;  ///< standard output and error
};

/// Runs a shell command line and waits for it.
inline Output shell(const std::string& command) {
  Output out;
  FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "re");
  if (pipe == nullptr) return out;
  char piece[4096];
  while (std::fgets(piece, sizeof piece, pipe) != nullptr) out.text += piece;
  const int status = ::pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return out;
}

/// A network namespace that exists as long as the object, with its loopback up. The name carries
/// the process id, so that tests of other programs never meet it.
class TemporaryNamespace {
 public:
  explicit TemporaryNamespace(const std::string& name)
      : name_("weirt-" + std::to_string(::getpid()) + "-" + name) {
    const Output made = shell("ip netns add " + name_ + " && ip -n " + name_ + " link set lo up");
    if (made.status != 0) {
      std::fprintf(stderr, "cannot make a network namespace (run as root): %s", made.text.c_str());
      std::exit(std::getenv("WEIR_REQUIRE_ALL") != nullptr ? 1 : 77);
    }
  }
  TemporaryNamespace(TemporaryNamespace&& other) noexcept : name_(std::exchange(other.name_, "")) {}
  TemporaryNamespace(const TemporaryNamespace&) = delete;
  TemporaryNamespace& operator=(const TemporaryNamespace&) = delete;
  TemporaryNamespace& operator=(TemporaryNamespace&&) = delete;
  ~TemporaryNamespace() {
    if (!name_.empty()) shell("ip netns del " + name_);
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Runs a command inside.
  [[nodiscard]] Output exec(const std::string& command) const {
    return shell("ip netns exec " + name_ + " " + command);
  }

 private:
  std::string name_;
};

}  // namespace weir::test
