#include "deployer/node/edge/service_start.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weir::node {
namespace {

constexpr rlim_t kDescriptors = 65536;
/// Beside the agent, whose memory is locked, it is the service that a node without memory ends.
constexpr const char* kEndFirst = "500";

// All that is needed behind fork, made before it.
struct Words {
  explicit Words(const std::vector<std::string>& texts) : texts_(texts) {
    pointers_.reserve(texts_.size() + 1);
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  char** data() { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

std::vector<std::string> environment_of(const manifests::ServiceSettings& settings) {
  auto all = settings.environment;
  all.emplace("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
  all.emplace("HOME", "/");
  std::vector<std::string> out;
  out.reserve(all.size());
  for (const auto& [name, value] : all) out.push_back(name + "=" + value);
  return out;
}

[[noreturn]] void give_up(const char* what) {
  const std::string text = std::string("weir-init: ") + what + ": " + std::strerror(errno) + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  ::_exit(127);
}

void check(bool good, const char* what) {
  if (!good) give_up(what);
}

void write_text(const char* path, const char* text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const auto written = ::write(fd, text, std::strlen(text));
  ::close(fd);
}

void drop_bounding_set(std::uint64_t kept) {
  for (unsigned long number = 0; number < 64; ++number) {
    if ((kept >> number & 1U) != 0) continue;
    const bool dropped = ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0;
    if (!dropped && errno == EINVAL) return;  // the kernel has no more
    check(dropped, "capabilities");
  }
}

void set_capabilities(std::uint64_t mask) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto word = static_cast<std::uint32_t>(mask >> (32 * i));
    data[i] = {word, word, word};
  }
  check(::syscall(SYS_capset, &header, data.data()) == 0, "capabilities");
  for (unsigned long number = 0; number < 64; ++number) {
    if ((mask >> number & 1U) == 0) continue;
    check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) == 0, "capabilities");
  }
}

// source: capabilities(7)
void become(const manifests::ServiceSettings& settings) {
  const bool root = settings.user_id == 0;
  if (settings.capabilities || !root) drop_bounding_set(settings.capabilities.value_or(0));
  const std::vector<gid_t> groups(settings.groups.begin(), settings.groups.end());
  check(::setgroups(groups.size(), groups.data()) == 0, "groups");
  check(::setresgid(settings.group_id, settings.group_id, settings.group_id) == 0, "group");
  if (!root) {
    check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0, "capabilities");
    check(::setresuid(settings.user_id, settings.user_id, settings.user_id) == 0, "user");
    set_capabilities(settings.capabilities.value_or(0));
  }
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
}

[[noreturn]] void be_service(const manifests::ServiceSettings& settings, Words& arguments,
                             Words& environment, int output) {
  ::setsid();
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(output, STDERR_FILENO);
  ::dup2(output, STDOUT_FILENO);
  check(input >= 0 && ::dup2(input, STDIN_FILENO) >= 0, "/dev/null");
  const rlimit descriptors{kDescriptors, kDescriptors};
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
  write_text("/proc/self/oom_score_adj", kEndFirst);
  check(::chdir("/") == 0, "/");
  ::umask(022);
  become(settings);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments.data()[0], arguments.data(), environment.data());
  give_up(arguments.data()[0]);
}

}  // namespace

Result<RunningService> start_service(const manifests::ServiceSettings& settings,
                                     const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno(Errc::kernel, errno, "pipe");
  RunningService out{0, Fd(ends[0])};
  const Fd output(ends[1]);
  ::fcntl(out.output.get(), F_SETFL, O_NONBLOCK);
  Words arguments(command), environment(environment_of(settings));
  out.pid = ::fork();
  if (out.pid < 0) return fail_errno(Errc::kernel, errno, "fork");
  if (out.pid == 0) be_service(settings, arguments, environment, output.get());
  return out;
}

}  // namespace weir::node
