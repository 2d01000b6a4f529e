#include "builder/layers/baked_services.h"

#include <algorithm>
#include <map>
#include <utility>

#include "builder/layers/debian_accounts.h"
#include "images/tree/merged_usr.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using images::FileTree;
using images::ImagePath;
using manifests::ImageService;
using manifests::YamlField;

struct ServiceAccount {
  std::uint32_t id = 0, group_id = 0;
};
using ServiceAccounts = std::map<std::string, ServiceAccount, std::less<>>;

// As /etc/passwd has them: a system user's group counts, the manifest's number.
ServiceAccounts accounts_of_image(const std::vector<manifests::ImageUser>& users,
                                  const std::vector<manifests::LockedUser>& system_users) {
  ServiceAccounts out{{"root", {}}, {"nobody", {kNobody, kNobody}}};
  for (const auto& user : users) out[user.name] = {user.id, user.id};
  for (const auto& user : system_users) out[user.name] = {user.id, user.group_id};
  return out;
}

std::string nobody_makes(const std::string& user) {
  return "nobody makes the user " + quotation(user) +
         ": name it under `users` of the manifest, or of the script's entry in accept_scripts that "
         "would have made it";
}

Result<ServiceAccount> account(const ServiceAccounts& accounts, const std::string& name,
                               const std::string& field) {
  const auto found = accounts.find(name);
  if (found != accounts.end()) return found->second;
  return fail(Errc::invalid_input, field + ": " + nobody_makes(name));
}

std::string field_of(const ImageService& service, std::string_view rest) {
  return "services." + service.name + "." + std::string(rest);
}

std::string owner_of(const ImageService& service, const manifests::ServiceFile& file) {
  if (!file.owner.empty()) return file.owner;
  return file.node.empty() ? "root" : service.user;
}

std::string owner_field(const ImageService& service, const manifests::ServiceFile& file) {
  return field_of(service, "files." + file.path + ".owner");
}

std::uint64_t mask_of(const std::vector<std::string>& capabilities) {
  std::uint64_t out = 0;
  for (const auto& name : capabilities) {
    out |= 1ULL << manifests::place_of_name(manifests::kCapabilityNames, name).value_or(63);
  }
  return out;
}

Result<manifests::ServiceSettings> settings_of(const ImageService& service,
                                               const Settings& settings,
                                               const ServiceAccounts& accounts) {
  TRY_ASSIGN(const ServiceAccount user, account(accounts, service.user, field_of(service, "user")));
  manifests::ServiceSettings out{.name = service.name,
                                 .command = service.command,
                                 .environment = service.environment,
                                 .user_id = user.id,
                                 .group_id = user.group_id,
                                 .restart = service.restart,
                                 .ready = service.ready,
                                 .after = service.after,
                                 .runtime_folders = service.runtime_folders,
                                 .open = service.open};
  for (const auto& group : settings.system_groups) {
    const auto& members = group.members;
    if (std::find(members.begin(), members.end(), service.user) != members.end()) {
      out.groups.push_back(group.id);
    }
  }
  if (service.capabilities) out.capabilities = mask_of(*service.capabilities);
  for (const auto& file : service.files) {
    if (file.node.empty()) continue;
    TRY_ASSIGN(const ServiceAccount owner,
               account(accounts, owner_of(service, file), owner_field(service, file)));
    out.files.push_back({file.node, owner.id, owner.group_id, file.mode});
  }
  return out;
}

bool is_in_search_path(const std::string& program) {
  const std::string folder = program.substr(0, program.rfind('/'));
  return folder == "/usr/bin" || folder == "/usr/sbin";
}

// ", but /usr/sbin/x is", where that may be what was meant. Packages have hooks by the same names,
// which count where there is nothing else.
std::string elsewhere(const std::string& path, const Overlay& image) {
  auto others = image.programs_named(path.substr(path.rfind('/') + 1));
  if (std::any_of(others.begin(), others.end(), is_in_search_path)) {
    std::erase_if(others, [](const std::string& other) { return !is_in_search_path(other); });
  }
  std::string out;
  for (const std::string& other : others) out += (out.empty() ? ", but " : " and ") + other;
  return out.empty() ? out : out + (others.size() == 1 ? " is" : " are");
}

}  // namespace

Status check_service_users(const YamlField& field, const std::vector<ImageService>& services,
                           const std::vector<manifests::ImageUser>& users,
                           const std::vector<manifests::LockedUser>& system_users) {
  const ServiceAccounts accounts = accounts_of_image(users, system_users);
  for (const ImageService& service : services) {
    TRY_ASSIGN(const YamlField written, field.at(service.name));
    if (!accounts.contains(service.user)) {
      TRY_ASSIGN(const YamlField user, written.at("user"));
      return user.wrong(nobody_makes(service.user));
    }
    for (const auto& file : service.files) {
      const std::string name = owner_of(service, file);
      if (accounts.contains(name)) continue;
      TRY_ASSIGN(const YamlField files, written.at("files"));
      TRY_ASSIGN(const YamlField one, files.at(file.path));
      TRY_ASSIGN(const YamlField owner, one.at("owner"));
      return owner.wrong(nobody_makes(name));
    }
  }
  return {};
}

Result<std::vector<manifests::ServiceSettings>> service_settings(const Settings& settings) {
  const ServiceAccounts accounts = accounts_of_image(settings.users, settings.system_users);
  std::vector<manifests::ServiceSettings> out;
  for (const ImageService& service : settings.services) {
    TRY_ASSIGN(auto one, settings_of(service, settings, accounts));
    out.push_back(std::move(one));
  }
  return out;
}

Status put_services(FileTree& tree, const Settings& settings, std::int64_t epoch,
                    const Overlay& below) {
  if (settings.services.empty()) return {};
  TRY_ASSIGN(const auto baked, service_settings(settings));
  TRY_ASSIGN(const ImagePath list, ImagePath::parse(manifests::kServicesPath));
  TRY(tree.put(list, {0644, 0, 0, epoch, images::File{images::content_of(print(baked))}}));
  const ServiceAccounts accounts = accounts_of_image(settings.users, settings.system_users);
  for (const ImageService& service : settings.services) {
    for (const auto& file : service.files) {
      const std::string where = field_of(service, "files." + file.path);
      TRY_ASSIGN_IN(const ImagePath path, ImagePath::parse(file.path), where);
      TRY_ASSIGN_IN(const ImagePath place, images::merged(path), where);
      TRY_IN(put_parents(tree, place, epoch, below), where);
      if (!file.node.empty()) {
        const std::string target = manifests::path_of(service.name, {.name = file.node});
        TRY_IN(tree.put(place, {0777, 0, 0, epoch, images::Symlink{target}}), where);
        continue;
      }
      TRY_ASSIGN(const ServiceAccount owner,
                 account(accounts, owner_of(service, file), owner_field(service, file)));
      TRY_IN(tree.put(place, {file.mode, owner.id, owner.group_id, epoch,
                              images::File{images::content_of(file.text)}}),
             where);
    }
  }
  return {};
}

std::vector<std::string> missing_programs(const std::vector<ImageService>& services,
                                          const Overlay& image,
                                          const std::vector<OrphanScript>& orphans) {
  std::vector<std::string> out;
  const auto look = [&](const std::string& path, const std::string& field) {
    const auto place = image.resolve(path);
    const Overlay::Place* there = place ? image.find(*place) : nullptr;
    if (there == nullptr || there->entry.kind != EntryKind::file) {
      out.push_back(field + ": " + path + " is not in the image" + elsewhere(path, image));
      return;
    }
    if ((there->entry.mode & 0111U) == 0) {
      out.push_back(field + ": " + path + " is no program: nobody may execute it");
      return;
    }
    const auto orphan =
        std::find_if(orphans.begin(), orphans.end(),
                     [&](const OrphanScript& script) { return script.path == "/" + *place; });
    if (orphan == orphans.end()) return;
    out.push_back(field + ": " + path + " is a script of " + orphan->interpreter +
                  ", which is not in the image");
  };
  for (const ImageService& service : services) {
    look(service.command.front(), field_of(service, "command[0]"));
    if (!service.ready.command.empty()) {
      look(service.ready.command.front(), field_of(service, "ready.command[0]"));
    }
  }
  return out;
}

bool knows_services(Bytes program) {
  // Compilers may make the path in registers, of pieces of 16 bytes: then its first piece is there.
  constexpr std::string_view kBeginning = manifests::kServicesPath.substr(0, 16);
  const auto found = std::search(
      program.begin(), program.end(), kBeginning.begin(), kBeginning.end(),
      [](std::uint8_t byte, char letter) { return byte == static_cast<std::uint8_t>(letter); });
  return found != program.end();
}

}  // namespace weir::builder
