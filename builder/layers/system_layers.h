#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "builder/layers/image_checks.h"
#include "builder/layers/made_places.h"
#include "builder/layers/tmpfiles_places.h"
#include "images/tree/file_tree.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/release.h"
#include "manifests/messages/service_settings.h"

namespace weir::builder {

inline constexpr std::string_view kBaseLayer = "base";
inline constexpr std::string_view kProgramsLayer = "weir";
inline constexpr std::string_view kSettingsLayer = manifests::kServicesLayer;

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
  std::vector<manifests::LockedUser> system_users{};  ///< the lock's; where `users` has one too,
                                                      ///< home, shell and group are of this one
  std::vector<manifests::LockedGroup> system_groups{};
  std::vector<manifests::LockedFolder> folders{};
  std::vector<manifests::ImageService> services{};
  std::set<std::uint32_t> group_ids{};   ///< that own something: Debian's get their names
  std::vector<MadePlaces::Made> made{};  ///< in a script's place
};

/// Who is in /etc/passwd and /etc/group.
[[nodiscard]] Accounts accounts_of(const Settings& settings);

/// Puts the folders above `path` as they are in `below`, from the root on.
[[nodiscard]] Status put_parents(images::FileTree& tree, const images::ImagePath& path,
                                 std::int64_t epoch, const Overlay& below);

/// The last layer: what init and agent read (manifests/messages/node_api.h), users, folders, the
/// manifest's files, and its services (builder/layers/baked_services.h). Folders on the way to them
/// keep the owner and mode that they have in `below`. errors: invalid_input: a file of the manifest
/// stands where one of these does
[[nodiscard]] Result<images::FileTree> make_settings_tree(const Settings& settings,
                                                          std::int64_t epoch,
                                                          const Overlay& below = Overlay());

}  // namespace weir::builder
