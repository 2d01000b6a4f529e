#include "manifests/base/edge/process_id.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/open_folder.h"
#include "manifests/base/edge/process_start.h"

namespace weir {
namespace {

// As `observe`, but a process of which only some threads have ended (it shows as a zombie, and
// still holds its descriptors) is there.
Result<std::optional<ProcessStat>> look(const ProcessId& process) {
  auto text = read_file("/proc/" + std::to_string(process.pid) + "/stat", ByteCount{4096});
  if (!text) {
    if (text.error().code == Errc::not_found || text.error().sys == ESRCH) return std::nullopt;
    return tl::unexpected(std::move(text).error());
  }
  TRY_ASSIGN(const ProcessStat stat, parse_process_stat(*text));
  if (stat.start_ticks != process.start_ticks) return std::nullopt;
  return std::optional(stat);
}

// A descriptor of exactly this process: opened first, then compared, so that a reused pid is seen.
Result<std::optional<Fd>> hold(const ProcessId& process) {
  Fd fd = open_pidfd(process.pid);
  if (!fd.valid() && errno != ESRCH) return fail_errno(Errc::io, errno, "pidfd_open");
  TRY_ASSIGN(const auto stat, look(process));
  if (!stat || !fd.valid()) return std::nullopt;
  return std::optional<Fd>(std::move(fd));
}

}  // namespace

Result<ProcessId> identify(pid_t pid) {
  TRY_ASSIGN(const std::string text,
             read_file("/proc/" + std::to_string(pid) + "/stat", ByteCount{4096}));
  TRY_ASSIGN(const ProcessStat stat, parse_process_stat(text));
  return ProcessId{pid, stat.start_ticks};
}

Result<std::optional<ProcessStat>> observe(const ProcessId& process) {
  TRY_ASSIGN(const auto stat, look(process));
  if (stat && (stat->state == 'Z' || stat->state == 'X')) {
    ::waitpid(process.pid, nullptr, WNOHANG);  // ECHILD: somebody else's to reap
    return std::nullopt;
  }
  return stat;
}

Result<bool> wait_for_end(const ProcessId& process, std::chrono::milliseconds patience) {
  TRY_ASSIGN(const std::optional<Fd> pidfd, hold(process));
  if (!pidfd) return true;
  TRY_ASSIGN(const bool ended, ends_within(*pidfd, patience));
  if (ended) ::waitpid(process.pid, nullptr, WNOHANG);
  return ended;
}

void set_nice(const ProcessId& process, int nice) {
  if (const auto stat = look(process); !stat || !*stat) return;
  const std::string path = "/proc/" + std::to_string(process.pid) + "/task";
  const OpenFolder tasks = open_folder(path);
  while (const dirent* task = tasks ? ::readdir(tasks.get()) : nullptr) {
    const auto id = static_cast<id_t>(std::strtoul(task->d_name, nullptr, 10));
    if (id != 0) (void)::setpriority(PRIO_PROCESS, id, nice);
  }
}

Status signal_process(const ProcessId& process, int signal) {
  TRY_ASSIGN(const std::optional<Fd> pidfd, hold(process));
  if (!pidfd) return {};
  if (::syscall(SYS_pidfd_send_signal, pidfd->get(), signal, nullptr, 0) != 0 && errno != ESRCH) {
    return fail_errno(Errc::io, errno, "signal process " + std::to_string(process.pid));
  }
  return {};
}

Status kill_process(const ProcessId& process) {
  return signal_process(process, SIGKILL);
}

}  // namespace weir
