#include "keys/trust/edge/trust_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/owner_access.h"
#include "manifests/base/printable.h"

namespace weir::keys {
namespace {

constexpr ByteCount kLargestState{1 << 20};
constexpr std::string_view kLockText = "locks a trust state, which lies beside it\n";

std::string lock_path(const std::string& state) {
  return state + ".lock";
}

// A lock that was taken for a state that was never written is empty.
bool there_was_one(const std::string& state) {
  struct stat info {};
  return ::stat(lock_path(state).c_str(), &info) == 0 && info.st_size > 0;
}

Status mark(const Fd& lock, const std::string& state) {
  struct stat info {};
  if (::fstat(lock.get(), &info) == 0 && info.st_size > 0) return {};
  if (::pwrite(lock.get(), kLockText.data(), kLockText.size(), 0) < 0) {
    return fail_errno(Errc::io, errno, lock_path(state));
  }
  return {};
}

tl::unexpected<Error> no_file(const std::string& lock) {
  return fail(Errc::invalid_input, lock + ": is no file: remove it, and it is made again");
}

// Only its owner can open the file, and so nobody else can make a verifier wait.
Result<Fd> locked(const std::string& path, const Waiting& waiting) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
  const int sys = errno;
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return no_file(path);
  }
  if (!fd.valid()) return fail_errno(Errc::io, sys, path);
  if (const int refused = grant_to_owner(fd.get(), 0600)) {
    return fail_errno(Errc::io, refused, path);
  }
  TRY(wait_for_lock(fd, path, waiting));
  return fd;
}

std::string begin_anew(const std::string& path) {
  return "begin anew: weir-keys trust verify TRUST --state " + shell_word(path) + " --first-use";
}

// Whoever may write it can make an old trust or release be believed.
Status check_owned(const Fd& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(Errc::io, errno, path);
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return fail(Errc::unauthorized,
                path + ": belongs to user " + std::to_string(info.st_uid) +
                    ", who could have what was seen forgotten: chown it to user " +
                    std::to_string(::geteuid()) + ", or move it away and " + begin_anew(path));
  }
  if ((info.st_mode & 022) != 0) {
    return fail(Errc::unauthorized,
                path +
                    ": others may write it, and could have what was seen forgotten: chmod 600 "
                    "it; if anyone could have, move it away and " +
                    begin_anew(path));
  }
  return {};
}

Result<std::string> read_owned(const std::string& path) {
  TRY_ASSIGN(const Fd file, open_file(path));
  TRY(check_owned(file, path));
  return read_file(file, path, kLargestState);
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

Result<manifests::TrustState> read_trust_state(const std::string& path, Loss loss) {
  const auto text = read_owned(path);
  if (!text && text.error().code == Errc::not_found) {
    if (loss == Loss::accepted || !there_was_one(path)) return manifests::TrustState{};
    return fail(Errc::unauthorized,
                path + ": is missing, and " + lock_path(path) +
                    " shows that it was there: without it an old trust or release would be "
                    "believed; bring it back, or " +
                    begin_anew(path));
  }
  TRY(text);
  auto state = manifests::parse_trust_state(*text);
  if (state) return state;
  return tl::unexpected(std::move(state).error().in(path).then(
      "bring it back as it was, or move it away and " + begin_anew(path)));
}

Status update_trust_state(const std::string& path, const JudgeBySeen& judge, Loss loss,
                          const Waiting& waiting) {
  TRY_ASSIGN(const Fd lock, locked(lock_path(path), waiting));
  TRY_ASSIGN(auto seen, read_trust_state(path, loss));
  const manifests::TrustState before = seen;
  TRY_ASSIGN(const auto judged, judge(std::move(seen)));
  if (judged == before) return before == manifests::TrustState{} ? Status() : mark(lock, path);
  const std::string text = print(judged);
  if (text.size() > kLargestState.value) {
    return fail(Errc::exhausted, path + ": would be larger than " + print(kLargestState) +
                                     ", and could not be read again");
  }
  TRY(write_file(path, text, 0600));
  return mark(lock, path);
}

Result<std::string> read_trust_text(const std::string& path) {
  return if_missing(read_file(path, manifests::kLargestTrustFile),
                    "weir-keys trust init --out FILE makes one");
}

Result<TrustedFile> read_trusted_file(const std::string& path, manifests::ChannelName channel,
                                      const std::optional<Digest>& pin) {
  TRY_ASSIGN(std::string text, read_trust_text(path));
  return TrustedFile{path, std::move(text), std::move(channel), pin};
}

std::string first_use_of(const std::string& path, const TrustedFile& trust) {
  std::string out =
      path + ": is not there, so this is its first use: nothing old can be told from new";
  const auto file = manifests::parse_trust_file(trust.text);
  if (trust.pin || !file) return out;
  const Digest first = Digest::of(as_bytes(file->versions.front().document));
  return out + ", and the trust is believed as it is (version 1 is " + first.string() +
         "; --pin, or trust_pin in fleet.yaml, demands it)";
}

Status check_trust_state_place(const std::string& path) {
  TRY(check_output(path));
  const std::string lock = lock_path(path);
  struct stat info {};
  if (::stat(lock.c_str(), &info) != 0) return {};
  if (!S_ISREG(info.st_mode)) return no_file(lock);
  if (::access(lock.c_str(), R_OK | W_OK) != 0) return fail_errno(Errc::io, errno, lock);
  return {};
}

Result<Believed> believe(Authority authority, TrustMemory memory) {
  Believed out;
  out.authority_ = std::move(authority);
  out.memory_ = std::move(memory);
  const auto* file = std::get_if<TrustedFile>(&out.authority_);
  if (file == nullptr) return out;
  TRY_ASSIGN(const UtcTime now, read_clock());
  const std::string& path = out.memory_.path;
  if (!path.empty()) {
    TRY_ASSIGN(out.seen_, read_trust_state(path, out.memory_.loss));
    if (!out.seen_.trust) out.note_ = first_use_of(path, *file);
  }
  const auto newest = [&](manifests::TrustState seen) -> Result<manifests::TrustState> {
    TRY_ASSIGN(const auto trust, judge_trust(*file, seen, now));
    return remember(std::move(seen), trust);
  };
  if (path.empty() || !out.memory_.writes) {
    TRY(newest(out.seen_));
    return out;
  }
  const auto kept = [&](manifests::TrustState seen) -> Result<manifests::TrustState> {
    TRY_ASSIGN(out.seen_, newest(std::move(seen)));
    return out.seen_;
  };
  TRY(update_trust_state(path, kept, out.memory_.loss, out.memory_.waiting));
  return out;
}

Status remember_accepted(const manifests::ReleaseEvidence& evidence, const Believed& believed,
                         const TrustDemands& demands, const Circumstances& circumstances) {
  const TrustMemory& memory = believed.memory();
  if (memory.path.empty() || !memory.writes ||
      !std::holds_alternative<TrustedFile>(believed.authority())) {
    return {};
  }
  return update_trust_state(
      memory.path,
      [&](manifests::TrustState seen) -> Result<manifests::TrustState> {
        Circumstances at = circumstances;
        at.seen = seen;
        const Verdict verdict = judge(evidence, believed.authority(), demands, at);
        TRY_ASSIGN(const auto release, verdict.release());
        return remember(std::move(seen), *verdict.trust(), release);
      },
      memory.loss, memory.waiting);
}

}  // namespace weir::keys
