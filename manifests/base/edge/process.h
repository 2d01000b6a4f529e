#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/edge/process_id.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/base/secret_bytes.h"

namespace weir {

/// Where one of a program's descriptors leads.
class Stream {
 public:
  /// To nowhere: reads end at once, writes vanish.
  static constexpr Stream nothing() { return Stream(kNothing); }
  /// To where the same descriptor of this process leads.
  static constexpr Stream ours() { return Stream(kOurs); }
  /// Into memory; `run` returns what came.
  static constexpr Stream captured() { return Stream(kCaptured); }
  /// To an open descriptor, which stays the caller's.
  static constexpr Stream to(int fd) { return Stream(fd); }

  [[nodiscard]] constexpr bool is_nothing() const { return fd_ == kNothing; }
  [[nodiscard]] constexpr bool is_ours() const { return fd_ == kOurs; }
  [[nodiscard]] constexpr bool is_captured() const { return fd_ == kCaptured; }
  [[nodiscard]] constexpr int fd() const { return fd_; }

 private:
  static constexpr int kNothing = -1, kOurs = -2, kCaptured = -3;
  explicit constexpr Stream(int fd) : fd_(fd) {}
  int fd_;
};

struct ResourceLimit {
  int resource = 0;  ///< RLIMIT_…; beyond RLIMIT_FSIZE a write fails with EFBIG and ends nothing
  rlim_t value = 0;  ///< soft and hard
};

/// What a program is kept from; the default keeps it from nothing. All but the limits needs root.
struct Confinement {
  std::optional<uid_t> user{};  ///< becomes user and group
  std::vector<gid_t> groups{};  ///< supplementary, with `user` only
  /// No capabilities and no way to gain any: bounding set empty, no_new_privs.
  bool unprivileged = false;
  int namespaces = 0;  ///< its own ones: CLONE_NEW… of unshare(2)
  /// Folders that it sees empty, everything else read-only; with CLONE_NEWNS only. A folder that is
  /// not there is no error.
  std::vector<std::string> hidden{};
  std::vector<ResourceLimit> limits{};
  std::optional<int> nice{};  ///< without the right to have it, ours stays
};

enum class ProcessGroup : std::uint8_t {
  ours,     ///< the terminal's Ctrl-C reaches it
  own,      ///< it reaches only us; what a run is ended with reaches the whole group
  session,  ///< a session of its own, without the terminal
};

/// Everything that a program gets: what is not named here, it does not get.
struct Program {
  std::string path;                        ///< absolute, as of `find_program`
  std::vector<std::string> arguments{};    ///< without the program's name
  std::vector<std::string> environment{};  ///< "NAME=value"
  Stream output = Stream::captured();
  Stream error = Stream::captured();
  std::optional<Stream> extra{};  ///< descriptor 3
  std::vector<int> inherited{};   ///< descriptors above 3, kept under the same numbers
  std::string folder{};           ///< its working folder; empty: ours
  ProcessGroup group = ProcessGroup::ours;
  int parent_death_signal = 0;  ///< what it gets when the thread that started it ends
  Confinement confinement{};
};

/// How long and how much a run may take.
struct RunLimits {
  std::chrono::milliseconds time;
  ByteCount output{64ULL << 20};  ///< for each captured stream
  /// After `time` it is asked to end (SIGTERM) and this much later killed; 0: killed at once.
  std::chrono::milliseconds grace{0};
  /// Asked now and then; true: it gets SIGINT, and SIGTERM two seconds later, and the run is an
  /// error.
  std::function<bool()> interrupted{};
};

struct Ended {
  int status = 0;             ///< exit status, or 128 + the signal that ended it
  std::string output, error;  ///< of captured streams
  std::string extra;
};

/// The same for tools that print keys: wiped when it goes, as every buffer on the way.
struct SecretEnded {
  int status = 0;
  SecretBytes output, error, extra;
};

/// Where programs are looked for, whatever PATH says.
inline constexpr const char* kProgramPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program's absolute path, looked up in `kProgramPath`; a name with a slash is one already.
/// errors: not_found
[[nodiscard]] Result<std::string> find_program(const std::string& name);

/// The folder that this program lies in, symbolic links followed. errors: io
[[nodiscard]] Result<std::string> program_folder();

/// This process's environment.
[[nodiscard]] std::vector<std::string> our_environment();

/// Runs a program to its end; it ends with us. What its own children still hold open is not waited
/// for.
///
/// input    its standard input, from memory that it can rewind
/// errors   not_found: no such program; timeout and exhausted: it went over a limit and was ended;
///          busy: interrupted; io, saying which step failed. Each names the program
[[nodiscard]] Result<Ended> run(const Program& program, std::string_view input,
                                const RunLimits& limits);
[[nodiscard]] Result<SecretEnded> run_for_secret(const Program& program, std::string_view input,
                                                 const RunLimits& limits);

/// Runs another program of Weir that lies beside this one. Its standard error is ours, its
/// environment too; SIGINT, SIGTERM and SIGHUP are passed on and waited for, and it is asked to end
/// (SIGTERM) when this process dies. At most one at a time.
/// errors: as `run`
[[nodiscard]] Result<Ended> run_sibling(const std::string& name,
                                        const std::vector<std::string>& arguments,
                                        const RunLimits& limits);

/// Starts a program that outlives this process, unless `parent_death_signal` says otherwise, with
/// nothing to read. Returns after execve succeeded.
/// errors: not_found; io, saying which step failed; bug: a stream is captured
[[nodiscard]] Result<ProcessId> spawn(const Program& program);

/// Judges how a program ended: any exit status but 0 is an error that quotes the first line of
/// what it said. errors: io
[[nodiscard]] Status require_success(const Program& program, int status, std::string_view said);

}  // namespace weir
