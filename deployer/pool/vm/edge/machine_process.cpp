#include "deployer/pool/vm/edge/machine_process.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <optional>

#include "deployer/pool/vm/machine_identity.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/open_folder.h"

namespace weir::pool {
namespace {

constexpr ByteCount kLongestProcFile{1 << 20};

/// Nothing where the process is gone; of one that ends while it is read, proc says "No such
/// process".
Result<std::optional<std::string>> read_fact(const std::string& path) {
  auto text = read_file(path, kLongestProcFile);
  if (text) return std::optional<std::string>(std::move(*text));
  if (text.error().code == Errc::not_found || text.error().sys == ESRCH) return std::nullopt;
  return tl::unexpected(std::move(text).error());
}

/// A process that is gone, or that we may not see.
bool is_out_of_sight(int sys) {
  return sys == ENOENT || sys == ESRCH || sys == EACCES || sys == EPERM;
}

/// Nothing where there is none (a process that is ending, a kernel thread) or we may not see it.
Result<std::optional<std::string>> executable_of(const std::string& folder) {
  std::array<char, PATH_MAX> path{};
  const std::string link = folder + "/exe";
  const ssize_t n = ::readlink(link.c_str(), path.data(), path.size());
  if (n >= 0) return std::string(path.data(), static_cast<std::size_t>(n));
  if (is_out_of_sight(errno)) return std::nullopt;
  return fail_errno(Errc::io, errno, link);
}

/// Whether it has this very file open, by whatever path it opened it. Of a file with a second name
/// (a copy made of hard links) nothing tells which folder it is of.
Result<bool> holds(const std::string& folder, const std::string& file) {
  struct stat wanted {};
  if (::stat(file.c_str(), &wanted) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno(Errc::io, errno, file);
  }
  if (wanted.st_nlink != 1) return false;
  const std::string path = folder + "/fd";
  const OpenFolder files = open_folder(path);
  if (!files) {
    if (is_out_of_sight(errno)) return false;
    return fail_errno(Errc::io, errno, path);
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(files.get());
    if (entry == nullptr) break;
    struct stat info {};
    if (::fstatat(::dirfd(files.get()), entry->d_name, &info, 0) == 0 &&
        info.st_dev == wanted.st_dev && info.st_ino == wanted.st_ino) {
      return true;
    }
  }
  if (errno == 0 || is_out_of_sight(errno)) return false;
  return fail_errno(Errc::io, errno, path);
}

/// Of one that ends, the kernel drops the command line before the files: read in the other order,
/// facts never say that a live process has no files.
Result<std::optional<ProcessFacts>> facts_of(const std::string& folder,
                                             const std::string& console) {
  TRY_ASSIGN(const bool holds_console, holds(folder, console));
  TRY_ASSIGN(const auto status, read_fact(folder + "/status"));
  TRY_ASSIGN(const auto command, read_fact(folder + "/cmdline"));
  if (!status || !command) return std::nullopt;
  TRY_ASSIGN_IN(const std::uint32_t user, parse_real_user(*status), folder + "/status");
  TRY_ASSIGN(auto executable, executable_of(folder));
  return ProcessFacts{std::move(executable), parse_command_line(*command), user, holds_console};
}

}  // namespace

std::string console_log(const std::string& folder) {
  return folder + "/console.log";
}

ProcessId process_of(const MachineRecord& machine) {
  return {static_cast<pid_t>(machine.pid), machine.start_ticks};
}

Result<Found> find_machine(const MachineRecord& machine, const std::string& proc) {
  const ProcessId process = process_of(machine);
  if (process.pid <= 0) return Found::nobody;
  TRY_ASSIGN(const auto before, observe(process));
  if (!before) return Found::ending;
  const auto facts =
      facts_of(proc + "/" + std::to_string(process.pid), console_log(machine.folder));
  // The facts are of the process that was asked about only if it is still there.
  TRY_ASSIGN(const auto after, observe(process));
  if (!after) return Found::ending;
  TRY(facts);
  if (!*facts) {
    return fail(Errc::io,
                "process " + std::to_string(process.pid) + " cannot be looked at in " + proc);
  }
  if (is_ending(**facts)) return Found::ending;
  if (!is_machine(**facts, machine)) return Found::foreign;
  return after->state == 'T' || after->state == 't' ? Found::frozen : Found::running;
}

}  // namespace weir::pool
