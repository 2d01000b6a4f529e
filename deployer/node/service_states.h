#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "deployer/node/restart_policy.h"
#include "manifests/messages/service_settings.h"

namespace weir::node {

/// What is to be done with a service, by its place in the list.
struct StartService {
  std::size_t service;
};
/// Its main process is asked to end (SIGTERM); later, all of its process group is ended (SIGKILL).
enum class Farewell : std::uint8_t { ask, end };
struct EndService {
  std::size_t service;
  Farewell how;
};
/// Whether it is ready is to be looked at; `probed` tells.
struct ProbeService {
  std::size_t service;
};
using ServiceAction = std::variant<StartService, EndService, ProbeService>;

/// How a process ended: with a status, or by a signal.
struct ProcessEnd {
  int number = 0;
  bool by_signal = false;
};

/// What is there of the files that a service gets from outside.
struct FilesSeen {
  std::string missing;  ///< a file's name; empty: all are there
  std::string version;  ///< differs once one was replaced
};

/// The services of a node and what becomes of them: events go in, `due` says what to do. Pure:
/// times are the caller's, of CLOCK_BOOTTIME.
///
/// A service is started once the network is up, its files are there, and all that it comes after
/// are ready. It has `within` to become ready, else it is ended and counts as failed. After its end
/// it waits as `RestartPolicy` has it. A file that was replaced restarts it.
class ServiceStates {
 public:
  using Time = std::chrono::milliseconds;

  explicit ServiceStates(std::vector<manifests::ServiceSettings> settings);

  [[nodiscard]] std::size_t size() const { return settings_.size(); }
  [[nodiscard]] const manifests::ServiceSettings& settings(std::size_t service) const {
    return settings_[service];
  }
  [[nodiscard]] const std::vector<manifests::ServiceRecord>& records() const { return records_; }

  void network_is_up(Time now);
  void files_seen(std::size_t service, FilesSeen seen, Time now);
  void started(std::size_t service, pid_t pid, Time now);
  /// There was no process to be had.
  void not_started(std::size_t service, std::string_view why, Time now);
  void ended(std::size_t service, ProcessEnd end, Time now);
  /// A line of its output, whatever is in it.
  void said(std::size_t service, std::string_view line, Time now);
  /// `words`: what a command said where it is not.
  void probed(std::size_t service, bool ready, Time now, std::string_view words = {});
  /// From now on nothing is started, and what runs is to end.
  void halt(Time now);

  /// What is to be done by now; each is said once.
  [[nodiscard]] std::vector<ServiceAction> due(Time now);
  /// When `due` has something new to say, if nothing happens until then.
  [[nodiscard]] std::optional<Time> next_due() const;
  /// The service whose main process it is.
  [[nodiscard]] std::optional<std::size_t> service_of(pid_t pid) const;

 private:
  /// Why a service is made to end.
  enum class Ending : std::uint8_t { none, not_ready, new_files, halt };
  struct Course {
    RestartPolicy policy{};
    FilesSeen files{}, started_with{};
    Time started{}, deadline{}, next_probe{}, retry{}, kill{};
    Ending ending = Ending::none;
    std::string probe_words;
    bool probing = false, killed = false, ran_before = false;
  };

  void enter(std::size_t service, manifests::ServiceState state, Time now);
  void stop(std::size_t service, Ending why, Time now, std::vector<ServiceAction>& out);
  void look_at_start(std::size_t service, Time now, std::vector<ServiceAction>& out);
  [[nodiscard]] std::string waits_for(std::size_t service) const;

  std::vector<manifests::ServiceSettings> settings_;
  std::vector<manifests::ServiceRecord> records_;
  std::vector<Course> courses_;
  bool network_ = false, halting_ = false;
};

/// A line as it may be kept and shown: control characters and what is not UTF-8 become '?', and no
/// more than `manifests::kLongestLine` bytes.
[[nodiscard]] std::string harmless_line(std::string_view line);

/// "ended with status 1", "ended by signal 9"
[[nodiscard]] std::string describe_end(ProcessEnd end);

}  // namespace weir::node
