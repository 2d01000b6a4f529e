#pragma once

#include <array>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::manifests {

class YamlField;

/// The folders of an image's root that are links into /usr, in every image.
inline constexpr std::array<std::string_view, 4> kMergedFolders = {"bin", "lib", "lib64", "sbin"};

/// Files that Weir puts into every image (os-release where no package has one), and folders that it
/// needs there.
inline constexpr std::array<std::string_view, 11> kOwnFiles = {"/dev/console",
                                                               "/etc/group",
                                                               "/etc/hosts",
                                                               "/etc/os-release",
                                                               "/etc/passwd",
                                                               "/init",
                                                               "/usr/lib/weir/lock-digest",
                                                               "/usr/lib/weir/modules",
                                                               "/usr/lib/weir/services",
                                                               "/usr/lib/weir/tools",
                                                               "/usr/lib/weir/weir-node"};
inline constexpr std::array<std::string_view, 9> kOwnFolders = {
    "/dev", "/etc", "/proc", "/root", "/run", "/sys", "/tmp", "/var", "/var/tmp"};

/// Where a node mounts file systems of its own when it boots, over what the image has there.
inline constexpr std::array<std::string_view, 5> kMountedFolders = {"/dev", "/proc", "/run", "/sys",
                                                                    "/tmp"};

/// Whether all of a manifest's `files`, and those of its `services`, can stand in one image, beside
/// its `folders` and what is in every image: no two at one place, also as /bin/x and /usr/bin/x,
/// none that would have to be a folder for another, and none that a mount hides.
///
/// root     of the manifest, whose lists and services were read
/// errors   invalid_input, with line and field
[[nodiscard]] Status check_image_places(const YamlField& root);

}  // namespace weir::manifests
