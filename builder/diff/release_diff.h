#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/diff/release_facts.h"

/// What one release is against another. Format of its JSON: docs/diff.md.
namespace weir::builder {

enum class Change : std::uint8_t {
  unchanged,
  added,
  removed,
  upgraded,
  downgraded,
  rebuilt,       ///< same version, other bytes
  now_built_in,  ///< a module that the kernel now holds itself
  now_module,    ///< the other way round
  content,       ///< a file's bytes
  attributes,    ///< its mode, owner or link target
  kind,          ///< a file where a link was, and so on
};
[[nodiscard]] std::string_view name_of(Change change);  ///< "now built in"

struct VersionChange {
  std::string name;
  Change change{};
  std::string from, to;  ///< versions; empty where it is not there
  bool operator==(const VersionChange&) const = default;
};

struct PackageChange {
  VersionChange version;
  std::string why;                           ///< of the newer lock, else of the older; may be empty
  std::uint64_t size_from = 0, size_to = 0;  ///< of its layer, packed
};

struct KernelChange {
  Change change{};
  std::string package_from, package_to;
  std::string version_from, version_to;  ///< Debian's
  std::string release_from, release_to;  ///< `uname -r`
  std::string build_id_from, build_id_to;
};

struct FileChange {
  std::string path;  ///< with a slash in front
  Change change{};
  std::string layer;  ///< which brings it, in the newer release where it is there
  std::uint64_t size_from = 0, size_to = 0;
};

/// A setting: of the manifest, or a file below /etc.
struct SettingChange {
  std::string name;  ///< "command_line", "users[service]", "/etc/nftables.conf"
  std::string from, to;
};

struct SizeChange {
  std::string name;  ///< "kernel", "initramfs", "initramfs unpacked", "files"
  std::uint64_t from = 0, to = 0;
};

/// What a store that has the older release lacks of the newer one.
struct Travel {
  std::uint64_t bytes = 0, whole = 0;  ///< of kernel and layers
  std::size_t blobs = 0, all_blobs = 0;
  std::vector<std::string> names;  ///< "kernel", layers
};

enum class RiskLevel : std::uint8_t { high, medium, low };
[[nodiscard]] std::string_view name_of(RiskLevel level);

struct Risk {
  RiskLevel level{};
  std::string sentence;
};

struct ReleaseDiff {
  std::string name_from, name_to;
  Digest digest_from, digest_to;
  KernelChange kernel;
  std::vector<PackageChange> packages;  ///< those that changed
  std::size_t packages_unchanged = 0;
  std::vector<VersionChange> modules;  ///< all that either has or pins
  std::vector<VersionChange> tools;    ///< all that either asks for
  std::vector<FileChange> files;       ///< those that changed
  std::vector<SettingChange> settings;
  std::vector<SizeChange> sizes;
  Travel travel;
  std::vector<Risk> risks;  ///< the sum, then gravest first; see release_risk.h
};

/// Compares two releases; `to` is taken for the newer one.
[[nodiscard]] ReleaseDiff compare(const ReleaseFacts& from, const ReleaseFacts& to);

}  // namespace weir::builder
