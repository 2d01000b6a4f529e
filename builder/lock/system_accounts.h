#pragma once

#include <vector>

#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Who lives in an image besides root, and what is theirs.
struct SystemAccounts {
  std::vector<manifests::LockedUser> users;
  std::vector<manifests::LockedGroup> groups;
  std::vector<manifests::LockedFolder> folders;
};

/// Numbers the users and groups that scripts would have made.
///
/// A name has one number, as user and as group. It keeps the one that the lock before gave it, so
/// that files on disks that outlast an image stay whose they are; a new name takes the lowest free
/// one of 101 to 999, names in the order of their bytes. What the manifest's `users` number has
/// that number, and Debian's own names (adm, nogroup) have Debian's.
///
/// accepted  scripts of packages that are in the image
/// before    the lock that stood there; none: nullptr
/// errors    invalid_input: a folder is for somebody nobody makes; exhausted: no number is free
[[nodiscard]] Result<SystemAccounts> system_accounts(
    const manifests::ImageManifest& manifest,
    const std::vector<manifests::AcceptedScript>& accepted, const manifests::Lock* before);

}  // namespace weir::builder
