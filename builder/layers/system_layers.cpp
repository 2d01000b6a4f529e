#include "builder/layers/system_layers.h"

#include <map>
#include <utility>

#include "builder/layers/baked_services.h"
#include "builder/layers/debian_accounts.h"
#include "images/tree/merged_usr.h"
#include "manifests/messages/node_api.h"

namespace weir::builder {
namespace {

using images::FileTree;
using images::ImagePath;
using images::Node;

Status put(FileTree& tree, std::string_view path, Node node) {
  TRY_ASSIGN(const ImagePath place, ImagePath::parse(path));
  return tree.put(place, std::move(node));
}

Status put_file(FileTree& tree, std::string_view path, std::string_view text, std::uint32_t mode,
                std::int64_t epoch) {
  return put(tree, path, Node{mode, 0, 0, epoch, images::File{images::content_of(text)}});
}

std::string line_of(const manifests::LockedUser& user) {
  return user.name + ":*:" + std::to_string(user.id) + ":" + std::to_string(user.group_id) +
         "::" + user.home + ":" + user.shell + "\n";
}

// All but root: the manifest's first, then by name.
std::vector<manifests::LockedUser> users_of(const Settings& settings) {
  std::vector<manifests::LockedUser> out;
  std::map<std::string, manifests::LockedUser> others;
  for (const auto& user : settings.system_users) others.emplace(user.name, user);
  for (const auto& user : settings.users) {
    auto system = others.extract(user.name);
    out.push_back(system ? std::move(system.mapped())
                         : manifests::LockedUser{user.name, user.id, user.id, "/nonexistent",
                                                 "/usr/sbin/nologin"});
  }
  others.emplace("nobody", manifests::LockedUser{"nobody", kNobody, kNobody, "/nonexistent",
                                                 "/usr/sbin/nologin"});
  for (auto& [_, user] : others) out.push_back(std::move(user));
  return out;
}

// Likewise.
std::vector<manifests::LockedGroup> groups_of(const Settings& settings) {
  std::map<std::string, manifests::LockedGroup> groups;
  for (const auto& each : settings.system_groups) groups.emplace(each.name, each);
  for (const std::uint32_t id : settings.group_ids) {
    const std::string name(debian_group_name(id));
    if (id != 0 && !name.empty()) groups.try_emplace(name, manifests::LockedGroup{name, id});
  }
  groups.try_emplace("nogroup", manifests::LockedGroup{"nogroup", kNobody});
  std::vector<manifests::LockedGroup> out;
  for (const auto& user : settings.users) {
    auto known = groups.extract(user.name);
    out.push_back(known ? std::move(known.mapped()) : manifests::LockedGroup{user.name, user.id});
  }
  for (auto& [_, each] : groups) out.push_back(std::move(each));
  return out;
}

std::string passwd(const Settings& settings) {
  std::string out = "root:*:0:0:root:/root:/bin/sh\n";
  for (const auto& user : users_of(settings)) out += line_of(user);
  return out;
}

std::string group(const Settings& settings) {
  std::string out = "root:*:0:\n";
  for (const auto& each : groups_of(settings)) {
    out += each.name + ":*:" + std::to_string(each.id) + ":";
    for (std::size_t i = 0; i < each.members.size(); ++i) {
      out += (i == 0 ? "" : ",") + each.members[i];
    }
    out += "\n";
  }
  return out;
}

// "bookworm-security" and "bookworm-backports" are of one version, "bookworm" (os-release(5)).
std::string os_release(const std::string& suite) {
  const std::string codename = suite.substr(0, suite.find('-'));
  return "PRETTY_NAME=\"Debian GNU/Linux (" + codename + ")\"\nNAME=\"Debian GNU/Linux\"\n" +
         "ID=debian\nVERSION_CODENAME=" + codename + "\n";
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): as deep as a path
Status put_parents(FileTree& tree, const ImagePath& path, std::int64_t epoch,
                   const Overlay& below) {
  if (path.is_root()) return {};
  const ImagePath parent = path.parent();
  TRY(put_parents(tree, parent, epoch, below));
  const Overlay::Place* there = below.find(parent.string());
  if (there == nullptr || there->entry.kind != EntryKind::folder || tree.find(parent) != nullptr) {
    return {};
  }
  return tree.put(
      parent, Node{there->entry.mode, there->entry.uid, there->entry.gid, epoch, images::Folder{}});
}

Accounts accounts_of(const Settings& settings) {
  Accounts out;
  out.users.emplace("root", Accounts::User{});
  for (const auto& user : users_of(settings)) {
    out.users.emplace(user.name, Accounts::User{user.id, user.group_id});
  }
  for (const auto& group : groups_of(settings)) out.groups.emplace(group.name, group.id);
  return out;
}

Result<FileTree> make_base_tree(std::int64_t epoch) {
  FileTree tree;
  TRY(images::put_merged_links(tree, epoch));
  const std::pair<const char*, std::uint32_t> folders[] = {
      {"dev", 0755}, {"etc", 0755},  {"proc", 0755}, {"root", 0700},    {"run", 0755},
      {"sys", 0755}, {"tmp", 01777}, {"var", 0755},  {"var/tmp", 01777}};
  for (const auto& [path, mode] : folders) {
    TRY(put(tree, path, Node{mode, 0, 0, epoch, images::Folder{}}));
  }
  TRY(put(tree, "dev/console", Node{0600, 0, 0, epoch, images::Device{false, 5, 1}}));
  return tree;
}

Result<FileTree> make_programs_tree(std::string_view init, std::string_view agent) {
  FileTree tree;
  TRY(put_file(tree, manifests::kInitPath, init, 0755, 0));
  TRY(put_file(tree, manifests::kAgentPath, agent, 0755, 0));
  return tree;
}

Result<FileTree> make_settings_tree(const Settings& settings, std::int64_t epoch,
                                    const Overlay& below) {
  FileTree tree;
  for (const auto& folder : settings.folders) {
    TRY_ASSIGN_IN(const ImagePath path, ImagePath::parse(folder.path), "folders");
    TRY_ASSIGN_IN(const ImagePath place, images::merged(path), "folders");
    TRY_IN(put_parents(tree, place, epoch, below), "folders");
    TRY_IN(tree.put(place,
                    Node{folder.mode, folder.user_id, folder.group_id, epoch, images::Folder{}}),
           "folders");
  }
  for (const auto& made : settings.made) {
    TRY_IN(put_parents(tree, made.path, epoch, below), "what Weir makes");
    TRY_IN(tree.put(made.path, made.node), "what Weir makes");
  }
  std::string modules, tools;
  for (const std::string& name : settings.modules) modules += name + "\n";
  for (const auto& tool : settings.tools) tools += tool.name + " " + tool.version + "\n";
  TRY(put_file(tree, manifests::kLockDigestPath, settings.lock_digest.string() + "\n", 0644,
               epoch));
  TRY(put_file(tree, manifests::kModulesPath, modules, 0644, epoch));
  TRY(put_file(tree, manifests::kToolsPath, tools, 0644, epoch));
  TRY(put_file(tree, "etc/passwd", passwd(settings), 0644, epoch));
  TRY(put_file(tree, "etc/group", group(settings), 0644, epoch));
  TRY(put_file(tree, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", 0644, epoch));
  if (settings.os_release) {
    TRY(put_file(tree, "etc/os-release", os_release(settings.suite), 0644, epoch));
  }
  for (const auto& file : settings.files) {
    TRY_ASSIGN_IN(const ImagePath path, ImagePath::parse(file.path), "files");
    TRY_ASSIGN_IN(const ImagePath place, images::merged(path), "files");
    TRY_IN(put_parents(tree, place, epoch, below), "files");
    TRY_IN(put_file(tree, place.string(), file.content, file.mode, epoch), "files");
  }
  TRY(put_services(tree, settings, epoch, below));
  return tree;
}

}  // namespace weir::builder
