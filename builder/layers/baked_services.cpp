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

Result<ServiceAccount> account(const ServiceAccounts& accounts, const std::string& name,
                               const std::string& field) {
  const auto found = accounts.find(name);
  if (found != accounts.end()) return found->second;
  return fail(Errc::invalid_input,
              field + ": nobody makes the user " + quotation(name) +
                  ": name it under `users` of the manifest, or of the script's entry in "
                  "accept_scripts that would have made it");
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

}  // namespace

Status check_service_users(const std::vector<ImageService>& services,
                           const std::vector<manifests::ImageUser>& users,
                           const std::vector<manifests::LockedUser>& system_users) {
  const ServiceAccounts accounts = accounts_of_image(users, system_users);
  for (const ImageService& service : services) {
    TRY(account(accounts, service.user, field_of(service, "user")));
    for (const auto& file : service.files) {
      TRY(account(accounts, owner_of(service, file), owner_field(service, file)));
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
                                          const Overlay& image) {
  std::vector<std::string> out;
  const auto look = [&](const std::string& path, const std::string& field) {
    const auto place = image.resolve(path);
    const Overlay::Place* there = place ? image.find(*place) : nullptr;
    if (there == nullptr || there->entry.kind != EntryKind::file) {
      out.push_back(field + ": " + path + " is not in the image");
    } else if ((there->entry.mode & 0111U) == 0) {
      out.push_back(field + ": " + path + " is no program: nobody may execute it");
    }
  };
  for (const ImageService& service : services) {
    look(service.command.front(), field_of(service, "command[0]"));
    if (!service.ready.command.empty()) {
      look(service.ready.command.front(), field_of(service, "ready.command[0]"));
    }
  }
  return out;
}

}  // namespace weir::builder
