#include "deployer/site/edge/running_order.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

namespace weir::deployer {
namespace {

constexpr ByteCount kMarkLimit{4096};
constexpr ByteCount kLocksLimit{16U << 20};

std::string place_of(const std::string& state_folder) {
  return state_folder + "/order";
}

/// Whether `process` holds an flock of the file, by /proc/locks: "1: FLOCK ADVISORY WRITE 4711
/// 08:01:1234 0 EOF" (proc_locks(5)). Its device is left out: some file systems have another one
/// there than in stat(2).
bool is_held(const std::string& locks, const std::string& process, ino_t inode) {
  std::istringstream lines(locks);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number, kind, mode, access, holder, file;
    if (!(words >> number >> kind >> mode >> access >> holder >> file)) continue;
    const bool same = file.substr(file.rfind(':') + 1) == std::to_string(inode);
    if (kind == "FLOCK" && holder == process && same) return true;
  }
  return false;
}

}  // namespace

Result<Fd> mark_order(const std::string& state_folder, const std::string& what) {
  const std::string place = place_of(state_folder);
  TRY_ASSIGN(Fd lock, lock_file(place));
  const std::string mark = std::to_string(::getpid()) + " " + what;
  if (::pwrite(lock.get(), mark.data(), mark.size(), 0) < 0) {
    return fail_errno(Errc::io, errno, place);
  }
  return lock;
}

std::optional<RunningOrder> running_order(const std::string& state_folder) {
  const std::string place = place_of(state_folder);
  struct stat info {};
  if (::stat(place.c_str(), &info) != 0) return std::nullopt;
  const auto mark = read_file(place, kMarkLimit);
  const auto locks = read_file("/proc/locks", kLocksLimit);
  if (!mark || !locks) return std::nullopt;
  const std::size_t end = mark->find(' ');
  RunningOrder out{mark->substr(0, end),
                   end == std::string::npos ? std::string() : mark->substr(end + 1)};
  if (!is_held(*locks, out.process, info.st_ino)) return std::nullopt;
  return out;
}

std::string print(const RunningOrder& order) {
  return "an order is running (" + (order.what.empty() ? "" : order.what + ", ") + "process " +
         order.process + ")";
}

Error in_the_way(const RunningOrder& order) {
  return {Errc::busy, 0,
          print(order) +
              ": wait until it is done, or stop it in order with Ctrl-C in its terminal; "
              "`weir-deployer status --watch` shows how far it is"};
}

}  // namespace weir::deployer
