#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "builder/packages/alternative.h"
#include "images/tree/file_tree.h"
#include "manifests/documents/accepted_entries.h"

namespace weir::builder {

/// What a maintainer script would do, as far as that can be read without running it.
struct ScriptActions {
  std::vector<std::string> does;  ///< by known programs, a sentence each, each once
  std::vector<manifests::SystemUser> users;
  std::vector<std::string> groups;               ///< that no user of these brings
  std::vector<manifests::SystemFolder> folders;  ///< made, or given away
  std::set<std::string> modes{};                 ///< of `folders`, those whose mode the script sets
  std::set<std::string> made{};         ///< of `folders`, those that the script makes or declares
  std::vector<std::string> sysusers{};  ///< files of sysusers.d that it applies
  std::vector<Alternative> alternatives{};  ///< that it offers
  std::vector<std::string> rest{};          ///< commands that nobody here knows, as written
  bool operator==(const ScriptActions&) const = default;
};

/// Knows users and groups (adduser, addgroup, useradd, groupadd, usermod, systemd-sysusers),
/// folders (mkdir, install -d, chown, chgrp, chmod, dpkg-statoverride), systemd units, init
/// scripts, alternatives, ldconfig, dpkg-maintscript-helper, dpkg-trigger, tmpfiles.d, ucf,
/// debconf, AppArmor, setcap, Python's byte code, and what only asks or prints. What writes a file
/// stands in `rest`, whoever does. Variables that a script sets once, literally, count with their
/// value
/// (`ShellVariables`). That it refuses to be installed, or may, comes first of what it does.
///
/// name   "preinst" or "postinst"
[[nodiscard]] ScriptActions actions_of(std::string_view script, std::string_view name = "postinst");

/// Corrects `folders` by the package's own content: what is a file there is none of them, and a
/// folder whose mode the script leaves keeps the package's. What the script only gives away, and
/// the package does not have, is nobody's folder: it may be a file that the script copies, and
/// stands in `rest`.
void keep_folders(const images::FileTree& package, ScriptActions& out);

}  // namespace weir::builder
