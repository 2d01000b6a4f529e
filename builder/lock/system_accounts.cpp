#include "builder/lock/system_accounts.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "builder/layers/debian_accounts.h"

namespace weir::builder {
namespace {

using Ids = std::map<std::string, std::uint32_t>;

struct Wanted {
  std::map<std::string, manifests::SystemUser> users;
  std::map<std::string, std::set<std::string>> groups;  ///< with their members
  std::map<std::string, manifests::SystemFolder> folders;
};

std::string group_of(const manifests::SystemUser& user) {
  return user.group.empty() ? user.name : user.group;
}

Wanted wanted_of(const manifests::ImageManifest& manifest,
                 const std::vector<manifests::AcceptedScript>& accepted) {
  Wanted out;
  for (const auto& script : accepted) {
    for (const auto& user : script.users) {
      out.users.try_emplace(user.name, user);
      out.groups[group_of(user)];
      for (const auto& group : user.groups) out.groups[group].insert(user.name);
    }
    for (const auto& group : script.groups) out.groups[group];
    for (const auto& folder : script.folders) out.folders.try_emplace(folder.path, folder);
  }
  // As an administrator would, the manifest has the last word.
  for (const auto& folder : manifest.folders) out.folders.insert_or_assign(folder.path, folder);
  for (const char* always : {"root", "nogroup"}) {
    const auto found = out.groups.find(always);
    if (found != out.groups.end() && found->second.empty()) out.groups.erase(found);
  }
  return out;
}

// The numbers of all names that neither Debian nor the manifest numbers.
Result<Ids> number(const Wanted& wanted, const manifests::ImageManifest& manifest,
                   const manifests::Lock* before) {
  Ids out;
  std::set<std::uint32_t> taken;
  for (const auto& user : manifest.users) {
    out.emplace(user.name, user.id);
    taken.insert(user.id);
  }
  std::set<std::string> names;
  for (const auto& [name, _] : wanted.users) {
    if (!debian_user_id(name)) names.insert(name);
  }
  for (const auto& [name, _] : wanted.groups) {
    if (!debian_group_id(name)) names.insert(name);
  }
  const auto keep = [&](const std::string& name, std::uint32_t id) {
    if (!names.contains(name) || out.contains(name) || taken.contains(id)) return;
    if (id < kFirstSystemId || id > kLastSystemId) return;
    out.emplace(name, id);
    taken.insert(id);
  };
  if (before != nullptr) {
    for (const auto& user : before->users) keep(user.name, user.id);
    for (const auto& group : before->groups) keep(group.name, group.id);
  }
  std::uint32_t next = kFirstSystemId;
  for (const std::string& name : names) {
    if (out.contains(name)) continue;
    while (taken.contains(next)) ++next;
    if (next > kLastSystemId) {
      return fail(Errc::exhausted, "no number from 101 to 999 is left for user or group " + name);
    }
    out.emplace(name, next);
    taken.insert(next);
  }
  return out;
}

std::uint32_t id_of(const Ids& ids, const std::string& name, std::optional<std::uint32_t> debian) {
  const auto found = ids.find(name);
  return found != ids.end() ? found->second : debian.value_or(0);
}

}  // namespace

Result<SystemAccounts> system_accounts(const manifests::ImageManifest& manifest,
                                       const std::vector<manifests::AcceptedScript>& accepted,
                                       const manifests::Lock* before) {
  const Wanted wanted = wanted_of(manifest, accepted);
  TRY_ASSIGN(const Ids ids, number(wanted, manifest, before));
  SystemAccounts out;
  for (const auto& [name, user] : wanted.users) {
    const std::string group = group_of(user);
    out.users.push_back({name, id_of(ids, name, debian_user_id(name)),
                         id_of(ids, group, debian_group_id(group)), user.home, user.shell});
  }
  for (const auto& [name, members] : wanted.groups) {
    out.groups.push_back({name, id_of(ids, name, debian_group_id(name)),
                          std::vector<std::string>(members.begin(), members.end())});
  }
  for (const auto& [path, folder] : wanted.folders) {
    const auto user = debian_user_id(folder.owner);
    const auto group = debian_group_id(folder.group);
    if (!user && !ids.contains(folder.owner)) {
      return fail(Errc::invalid_input, "folder " + path + ": there is no user " + folder.owner);
    }
    if (!group && !ids.contains(folder.group)) {
      return fail(Errc::invalid_input, "folder " + path + ": there is no group " + folder.group);
    }
    out.folders.push_back(
        {path, id_of(ids, folder.owner, user), id_of(ids, folder.group, group), folder.mode});
  }
  return out;
}

}  // namespace weir::builder
