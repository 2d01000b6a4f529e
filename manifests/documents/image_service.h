#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/service_terms.h"

namespace YAML {
class Emitter;
}

namespace weir::manifests {

class YamlField;

/// A file that a service needs: with a text of the image's, or with the content that each node is
/// given once it runs.
struct ServiceFile {
  std::string path;
  std::string text{};   ///< of one without `node`
  std::string node{};   ///< the name that a fleet gives the content by; empty: `text`
  std::string owner{};  ///< empty: root, of a node's file the service's user
  std::uint32_t mode = 0644;
  bool operator==(const ServiceFile&) const = default;
};

/// A program that weir-init keeps running beside the agent. Format: docs/services.md.
struct ImageService {
  std::string name;
  std::vector<std::string> command;  ///< the program's absolute path, and its arguments
  std::map<std::string, std::string> environment{};
  std::string user = "root";
  Restart restart = Restart::always;
  Readiness ready{};
  std::vector<std::string> after{};  ///< services that are ready before it is started
  /// By name. Absent: none, for root all.
  std::optional<std::vector<std::string>> capabilities{};
  std::vector<ServiceFile> files{};  ///< by path
  std::vector<std::string>
      runtime_folders{};         ///< below /run, made before it is started, its user's
  std::vector<OpenPort> open{};  ///< also those that are `asked`
  bool operator==(const ImageService&) const = default;
};

/// The services of a manifest, in its order. errors: invalid_input, with line and field; also two
/// that wait for each other
[[nodiscard]] Result<std::vector<ImageService>> parse_image_services(const YamlField& map);
/// As a mapping that the parser reads back as equal services.
void emit(YAML::Emitter& out, const std::vector<ImageService>& services);

}  // namespace weir::manifests
