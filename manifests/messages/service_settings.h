#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/service_terms.h"

/// What weir-init is told of services, and what it tells: lines of `key value`, so that PID 1 reads
/// no more than it has to. Format: docs/services.md.
namespace weir::manifests {

/// Where an image says which services it has; images without services have no such file. Programs
/// that read it hold it in one piece, by which `build` tells them from older ones.
inline constexpr std::string_view kServicesPath = "/usr/lib/weir/services";
/// The layer of a release that has it.
inline constexpr std::string_view kServicesLayer = "weir-settings";
/// Below it is a folder of each service that nodes give files to, and in it these by their names.
inline constexpr std::string_view kNodeFilesFolder = "/run/weir-files";
/// What weir-init tells of its services.
inline constexpr std::string_view kServiceRecordsPath = "/run/weir/services";
/// There once the agent has set up the network.
inline constexpr std::string_view kNetworkMarkPath = "/run/weir/network";

/// A node's file as a service reads it.
struct NodeFilePlace {
  std::string name;
  std::uint32_t user_id = 0, group_id = 0, mode = 0400;
  bool operator==(const NodeFilePlace&) const = default;
};
/// "/run/weir-files/unbound/zone-key".
[[nodiscard]] std::string path_of(const std::string& service, const NodeFilePlace& file);

/// A service of an image, with names turned into numbers.
struct ServiceSettings {
  std::string name;
  std::vector<std::string> command{};
  std::map<std::string, std::string> environment{};
  std::uint32_t user_id = 0, group_id = 0;
  std::vector<std::uint32_t> groups{};  ///< besides `group_id`
  Restart restart = Restart::always;
  Readiness ready{};
  std::vector<std::string> after{};
  std::optional<std::uint64_t>
      capabilities{};  ///< a bit for each number; absent: what the user has
  std::vector<NodeFilePlace> files{};
  std::vector<std::string> runtime_folders{};
  std::vector<OpenPort> open{};
  bool operator==(const ServiceSettings&) const = default;
};

[[nodiscard]] std::string print(const std::vector<ServiceSettings>& services);
/// errors: invalid_input, with the line's number
[[nodiscard]] Result<std::vector<ServiceSettings>> parse_service_settings(std::string_view text);

/// How a service is; `waiting` also before it is started at all.
enum class ServiceState : std::uint8_t {
  waiting,
  starting,
  ready,
  stopping,
  backing_off,
  failed,
  ended
};
inline constexpr std::array<std::string_view, 7> kServiceStateNames = {
    "waiting", "starting", "ready", "stopping", "backing off", "failed", "ended"};
[[nodiscard]] std::string_view name_of(ServiceState state);

/// What weir-init knows of a service. Times are of CLOCK_BOOTTIME.
struct ServiceRecord {
  std::string name;
  ServiceState state = ServiceState::waiting;
  std::string waits_for{};               ///< "the network", "service x", "file y"
  std::chrono::milliseconds since{};     ///< when it came into this state
  std::uint64_t restarts = 0;            ///< how often it was started again
  std::int64_t pid = 0;                  ///< 0: none runs
  std::string reason{};                  ///< why it ended last
  std::deque<std::string> last_lines{};  ///< what it said, at most `kLinesKept`, printable
  bool operator==(const ServiceRecord&) const = default;
};
inline constexpr std::size_t kLinesKept = 50, kLongestLine = 400;

[[nodiscard]] std::string print(const std::vector<ServiceRecord>& records);
/// errors: invalid_input, with the line's number
[[nodiscard]] Result<std::vector<ServiceRecord>> parse_service_records(std::string_view text);

}  // namespace weir::manifests
