#include "deployer/node/edge/linux_world.h"

#include <signal.h>
#include <sys/klog.h>
#include <sys/utsname.h>
#include <time.h>

#include <cerrno>

#include "deployer/node/elf_notes.h"
#include "deployer/node/image_texts.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"

namespace weir::node {
namespace {

constexpr ByteCount kSmallFile{1U << 20};
constexpr std::size_t kKernelLog = 64U << 10;

Result<std::string> first_line(const std::string& path) {
  TRY_ASSIGN(std::string text, read_file(path, kSmallFile));
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

/// What a running module says about itself; a module that is built in says little or nothing.
manifests::LoadedModule describe_module(const std::string& name) {
  const std::string folder = "/sys/module/" + name + "/";
  manifests::LoadedModule out{.name = name, .version = {}, .srcversion = {}, .build_id = {}};
  out.version = first_line(folder + "version").value_or("");
  out.srcversion = first_line(folder + "srcversion").value_or("");
  if (const auto notes = read_file(folder + "notes/.note.gnu.build-id", kSmallFile)) {
    out.build_id = build_id_of(as_bytes(*notes)).value_or("");
  }
  return out;
}

Result<NodeFacts> read_facts() {
  TRY_ASSIGN(const std::string lock_line, first_line(std::string(manifests::kLockDigestPath)));
  TRY_ASSIGN_IN(const Digest lock_digest, Digest::parse(lock_line),
                std::string(manifests::kLockDigestPath));
  NodeFacts out{.boot_id = {},
                .lock_digest = lock_digest,
                .kernel_release = {},
                .kernel_build_id = {},
                .modules = {},
                .tools = {}};
  TRY_ASSIGN(out.boot_id, first_line("/proc/sys/kernel/random/boot_id"));
  utsname kernel{};
  if (::uname(&kernel) != 0) return fail_errno(Errc::kernel, errno, "uname");
  out.kernel_release = kernel.release;
  TRY_ASSIGN(const std::string notes, read_file("/sys/kernel/notes", kSmallFile));
  TRY_ASSIGN_IN(out.kernel_build_id, build_id_of(as_bytes(notes)), "/sys/kernel/notes");
  TRY_ASSIGN(const std::string modules,
             read_file(std::string(manifests::kModulesPath), kSmallFile));
  for (const std::string& name : parse_module_names(modules)) {
    out.modules.push_back(describe_module(name));
  }
  TRY_ASSIGN(const std::string tools, read_file(std::string(manifests::kToolsPath), kSmallFile));
  TRY_ASSIGN_IN(out.tools, parse_tools(tools), std::string(manifests::kToolsPath));
  return out;
}

}  // namespace

Result<NodeFacts> LinuxWorld::facts() {
  if (!facts_) {
    TRY_ASSIGN(facts_, read_facts());
  }
  return *facts_;
}

std::int64_t LinuxWorld::clock_unix_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

Status LinuxWorld::set_clock(std::int64_t unix_ns) {
  if (unix_ns < 0) return fail(Errc::invalid_input, "unix_ns: must not be negative");
  const timespec wanted{.tv_sec = unix_ns / 1'000'000'000, .tv_nsec = unix_ns % 1'000'000'000};
  if (::clock_settime(CLOCK_REALTIME, &wanted) != 0) {
    return fail_errno(Errc::kernel, errno, "set the clock");
  }
  return {};
}

Result<std::string> LinuxWorld::logs() {
  std::string out(kKernelLog, '\0');
  constexpr int kReadAll = 3;  // SYSLOG_ACTION_READ_ALL
  const int got = ::klogctl(kReadAll, out.data(), static_cast<int>(out.size()));
  out.resize(static_cast<std::size_t>(std::max(got, 0)));
  return out + NodeLog::read_all() + services_.last_words();
}

Result<wireguard::SecretBytes> LinuxWorld::tool_dump() {
  const Program wg{.path = "/usr/bin/wg", .arguments = {"show", "all", "dump"}};
  TRY_ASSIGN(SecretEnded ended, run_for_secret(wg, {}, {std::chrono::seconds(10)}));
  const std::string said(ended.error.begin(), ended.error.end());
  TRY(require_success(wg, ended.status, said));
  return std::move(ended.output);
}

void LinuxWorld::power_off() {
  ::kill(1, SIGTERM);
}

}  // namespace weir::node
