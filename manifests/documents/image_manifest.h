#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/accepted_entries.h"
#include "manifests/documents/image_service.h"
#include "manifests/documents/image_sources.h"
#include "manifests/documents/trust.h"

namespace weir::manifests {

/// A pattern is a name or version in which `*` stands for any run of characters, also none.
struct KernelPin {
  std::string package;                 ///< "linux-image-6.1.*-cloud-amd64"; of several, the newest
  std::optional<std::string> version;  ///< pattern for the package's Debian version
  bool operator==(const KernelPin&) const = default;
};

/// Where a pinned module comes from, if not out of the kernel's own package: from another package,
/// from a file, or compiled from a DKMS package.
struct ModuleSource {
  std::string package;             ///< one of the lock's; empty: not from a package of the image
  std::string file{};              ///< .ko, .ko.xz or .ko.zst, relative to the manifest
  std::optional<Digest> digest{};  ///< of the file, byte for byte; a file has one
  std::string dkms{};              ///< package with its source, which is not in the image
  bool operator==(const ModuleSource&) const = default;
};

struct ImageFile {
  std::string path;  ///< absolute, normalised: "/etc/sysctl.d/weir.conf"
  std::string content;
  std::uint32_t mode = 0644;
  bool operator==(const ImageFile&) const = default;
};

/// A line of /etc/passwd and one of /etc/group, both with this number. root is always there.
struct ImageUser {
  std::string name;
  std::uint32_t id = 0;
  bool operator==(const ImageUser&) const = default;
};

/// How a release of this image stands among others (manifests/documents/release.h, ReleaseTerms).
struct ReleasePolicy {
  std::optional<std::uint64_t> version;  ///< absent: the lock's source epoch, which only rises
  ChannelName channel = *ChannelName::parse("stable");
  std::uint64_t replaces_from = 0;
  std::chrono::seconds valid_for = std::chrono::hours(24 * 365);  ///< from the source epoch on
  bool operator==(const ReleasePolicy&) const = default;
};

/// What a person writes: an image before its versions are fixed. Format: docs/image-manifest.md.
struct ImageManifest {
  ReleaseName name;
  std::string architecture{};          ///< Debian's name, "amd64"
  std::vector<ImageSource> sources{};  ///< in the order of preference between equal packages
  KernelPin kernel{};
  std::vector<std::string> modules{};  ///< kept with what they need, and loaded in this order
  std::map<std::string, ModuleSource> module_sources{};  ///< by name as in `modules`
  /// PEM file of the X.509 certificate whose key signs what is compiled, relative to the manifest;
  /// empty: that is not signed.
  std::string module_signer{};
  std::vector<std::string> packages{};               ///< exact names, asked for
  std::map<std::string, std::string> constraints{};  ///< package -> version pattern
  std::vector<std::string> provides{};  ///< packages Weir stands in for, at their newest version
  /// Lists of scripts that others have read: names that Weir ships, or files beside the manifest
  /// (manifests/documents/reviewed_list.h).
  std::vector<std::string> reviewed{};
  std::vector<AcceptedScript> accept_scripts{};
  std::vector<AcceptedSecret> accept_secrets{};
  std::vector<ImageUser> users{};
  std::vector<SystemFolder> folders{};  ///< settles who owns a folder, and makes it
  std::vector<ImageFile> files{};
  std::vector<ImageService> services{};        ///< kept running on nodes, beside the agent
  std::string command_line{};                  ///< for the kernel
  bool documentation = false;                  ///< manuals, documentation and locales stay in
  std::optional<std::string> node_programs{};  ///< folder of weir-init and weir-node, relative to
                                               ///< the file; absent: weir-builder's own folder
  ReleasePolicy release{};
  bool operator==(const ImageManifest&) const = default;
};

/// file    how errors call it: `gateway.yaml:12: accept_scripts[0].sha256[1]: ...`
/// errors  invalid_input, naming line and field; unknown and repeated fields are refused
[[nodiscard]] Result<ImageManifest> parse_image_manifest(std::string_view yaml,
                                                         std::string_view file = "manifest");

/// The DKMS packages that modules are compiled from, by name.
[[nodiscard]] std::vector<std::string> dkms_packages(const ImageManifest& manifest);

/// As YAML that `parse_image_manifest` reads back as an equal manifest; defaults are written out.
[[nodiscard]] std::string print(const ImageManifest& manifest);

/// Whether `pattern` matches all of `text`.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);

}  // namespace weir::manifests
