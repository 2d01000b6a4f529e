#include "keys/trust/edge/trust_files.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "manifests/base/edge/file.h"

namespace weir::keys {
namespace {

constexpr ByteCount kLargestState{1 << 20};

// Only its owner can open the file, and so nobody else can make a verifier wait.
Result<Fd> wait_for_lock(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
  if (!fd.valid()) return fail_errno(Errc::io, errno, path);
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return fail_errno(Errc::io, errno, path);
  }
  return fd;
}

}  // namespace

Result<UtcTime> read_clock() {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  if (now.count() < 1577836800) {  // 2020-01-01
    return fail(Errc::unauthorized, "this machine's clock says " + UtcTime{now.count()}.string() +
                                        ": set it, or nobody can tell what has expired");
  }
  return UtcTime{now.count()};
}

Result<manifests::TrustState> read_trust_state(const std::string& path) {
  const auto text = read_file(path, kLargestState);
  if (!text && text.error().code == Errc::not_found) return manifests::TrustState{};
  TRY(text);
  TRY_ASSIGN_IN(manifests::TrustState state, manifests::parse_trust_state(*text), path);
  return state;
}

Status update_trust_state(const std::string& path, const JudgeBySeen& judge) {
  TRY_ASSIGN(const Fd lock, wait_for_lock(path + ".lock"));
  TRY_ASSIGN(auto seen, read_trust_state(path));
  TRY_ASSIGN(const auto judged, judge(std::move(seen)));
  const std::string text = print(judged);
  if (text.size() > kLargestState.value) {
    return fail(Errc::exhausted, path + ": would be larger than " + print(kLargestState) +
                                     ", and could not be read again");
  }
  return write_file(path, text, 0600);
}

Result<Verified<manifests::Trust>> read_trust(const std::string& path,
                                              const manifests::TrustState& seen, UtcTime now) {
  TRY_ASSIGN(const std::string text, read_file(path, manifests::kLargestTrustFile));
  TRY_ASSIGN_IN(auto trust, verify_trust(text, seen, now), path);
  return trust;
}

}  // namespace weir::keys
