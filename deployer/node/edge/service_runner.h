#pragma once

#include <poll.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deployer/node/edge/node_log.h"
#include "deployer/node/service_states.h"
#include "manifests/base/edge/file.h"

namespace weir::node {

/// Does for an image's services what `ServiceStates` decides: starts and ends processes, reads what
/// they say, looks whether they are ready, and tells it all in manifests::kServiceRecordsPath.
/// Nothing here waits.
class ServiceRunner {
 public:
  using Time = ServiceStates::Time;

  /// Of the image that runs; where it has no services, or a list that cannot be read (which is
  /// said), none.
  static ServiceRunner of_image(const NodeLog& log);
  ServiceRunner(std::vector<manifests::ServiceSettings> settings, const NodeLog& log)
      : states_(std::move(settings)), log_(&log), outputs_(states_.size()), told_(states_.size()) {}

  /// Looks whether the network is up, and at the files of services: when the agent asks for it.
  void look_around();
  /// Does what is due.
  void act();
  /// How long until `act` has something to do, at most `longest`.
  [[nodiscard]] std::chrono::milliseconds patience(std::chrono::milliseconds longest) const;

  void add_descriptors(std::vector<pollfd>& to) const;
  void read(const std::vector<pollfd>& ready);
  /// Whether the process was one of its own.
  bool reap(pid_t pid, int status);

  void halt();
  [[nodiscard]] bool any_runs() const;

 private:
  struct Output {
    Fd pipe;
    std::string line;  ///< the beginning of one
  };
  struct Probe {
    std::size_t service = 0;
    Fd socket;      ///< that connects; or
    pid_t pid = 0;  ///< a command that runs, and
    Fd output;      ///< what it says
    Time deadline{};
  };

  void start(std::size_t service, Time now);
  void end(std::size_t service, Farewell how);
  void probe(std::size_t service, Time now);
  void end_probes(Time now);
  void drain(std::size_t service, Time now);
  void tell(Time now);

  ServiceStates states_;
  const NodeLog* log_;
  std::vector<Output> outputs_;
  std::vector<Probe> probes_;
  std::vector<manifests::ServiceRecord> told_;  ///< last lines left out
  Time may_write_{};
  bool pending_ = false;  ///< there is more to tell than was written
};

}  // namespace weir::node
