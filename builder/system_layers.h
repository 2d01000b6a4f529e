#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "images/file_tree.h"
#include "manifests/image_manifest.h"
#include "manifests/release.h"
#include "manifests/result.h"

namespace weir::builder {

inline constexpr std::string_view kBaseLayer = "base";
inline constexpr std::string_view kOwnLayer = "weir";

/// The first layer: folders of the root, and the links of a merged /usr.
[[nodiscard]] Result<images::FileTree> make_base_tree(std::int64_t epoch);

/// What the last layer is made from.
struct OwnParts {
  Digest lock_digest;
  std::string init, agent;           ///< weir-init and weir-node, byte for byte
  std::vector<std::string> modules;  ///< to load, in order
  std::vector<manifests::ReleasePackage> tools;
  std::vector<manifests::ImageUser> users;
  std::vector<manifests::ImageFile> files;
  std::string suite;        ///< named in os-release where no package brings one
  bool os_release = false;  ///< no package brings one
};

/// The last layer: /init, the agent, what both read (manifests/node_api.h), users, the manifest's
/// files. errors: invalid_input: a file of the manifest stands where one of ours does
[[nodiscard]] Result<images::FileTree> make_own_tree(const OwnParts& parts, std::int64_t epoch);

}  // namespace weir::builder
