#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/messages/service_settings.h"

namespace weir::manifests {

/// What a node tells of one of its services (`GET /v1/services`).
struct ServiceReport {
  std::string name;
  ServiceState state = ServiceState::waiting;
  std::string waits_for{};
  std::chrono::milliseconds in_state{};  ///< since when, until the node answered
  std::uint64_t restarts = 0;
  std::string reason{};              ///< why it ended last; empty: it has not
  std::vector<std::string> files{};  ///< names of the files that it is to be given
  std::vector<std::string> last_lines{};
  bool operator==(const ServiceReport&) const = default;
};

/// `PUT /v1/file`: what a fleet gives a node by a name.
struct SealedFile {
  std::string name;
  std::string sealed;  ///< base64 of crypto_box_seal(content, seal_key)
};
/// The longest content of a node's file.
inline constexpr ByteCount kLargestNodeFile{256ULL << 10};
/// The longest answer about services: all that they can have said, escaped.
inline constexpr ByteCount kLargestServices{4ULL << 20};

[[nodiscard]] std::string print(const std::vector<ServiceReport>& services);
[[nodiscard]] std::string print(const SealedFile& file);
/// errors: as those of node_api.h
[[nodiscard]] Result<std::vector<ServiceReport>> parse_service_reports(std::string_view json);
[[nodiscard]] Result<SealedFile> parse_sealed_file(std::string_view json);

/// Whether a node tells of exactly the services that its image has: of the release it was booted
/// from. errors: integrity: names one that it does not tell of, with what to do, or one too many
[[nodiscard]] Status check_told_services(const std::vector<ServiceSettings>& of_image,
                                         const std::vector<ServiceReport>& told);

/// It does what it is there for: it is ready, or ended as it should.
[[nodiscard]] bool is_up(const ServiceReport& service);
/// It has failed, or was started three times and is not ready: waiting longer is of no use.
[[nodiscard]] bool is_given_up(const ServiceReport& service);
/// "backing off, ended with status 1, started again 3 times"
[[nodiscard]] std::string describe(const ServiceReport& service);
/// `describe` with its name in front and its last lines, at most `lines`, behind it, separated by
/// " | ".
[[nodiscard]] std::string describe_whole(const ServiceReport& service, std::size_t lines);

}  // namespace weir::manifests
