#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "images/tree/file_tree.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/release.h"

namespace weir::builder {

inline constexpr std::string_view kBaseLayer = "base";
inline constexpr std::string_view kProgramsLayer = "weir";
inline constexpr std::string_view kSettingsLayer = "weir-settings";

/// The first layer: folders of the root, and the links of a merged /usr.
[[nodiscard]] Result<images::FileTree> make_base_tree(std::int64_t epoch);

/// The last layer but one: /init and the agent, byte for byte. It has no date of its own and takes
/// the year 1970, so that it is the same under every lock that names the same programs.
[[nodiscard]] Result<images::FileTree> make_programs_tree(std::string_view init,
                                                          std::string_view agent);

/// What the last layer is made from.
struct Settings {
  Digest lock_digest;
  std::vector<std::string> modules;  ///< to load, in order
  std::vector<manifests::ReleasePackage> tools;
  std::vector<manifests::ImageUser> users;
  std::vector<manifests::ImageFile> files;
  std::string suite;        ///< named in os-release where no package brings one
  bool os_release = false;  ///< no package brings one
};

/// The last layer: what init and agent read (manifests/messages/node_api.h), users, the manifest's
/// files. errors: invalid_input: a file of the manifest stands where one of these does
[[nodiscard]] Result<images::FileTree> make_settings_tree(const Settings& settings,
                                                          std::int64_t epoch);

}  // namespace weir::builder
