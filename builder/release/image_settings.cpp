#include "builder/release/image_settings.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "builder/layers/alternative_links.h"
#include "builder/layers/certificate_bundle.h"
#include "builder/layers/debian_accounts.h"
#include "builder/layers/loader_cache.h"
#include "builder/layers/tmpfiles_places.h"
#include "builder/release/describe.h"
#include "images/tree/merged_usr.h"
#include "manifests/base/printable.h"
#include "manifests/documents/image_places.h"
#include "manifests/documents/package_url.h"

namespace weir::builder {
namespace {

// Of the first source that is of a distribution.
std::string codename(const manifests::Lock& lock) {
  for (const auto& source : lock.sources) {
    const auto name = manifests::codename_of(source.suite);
    if (!name.empty()) return std::string(name);
  }
  return "none";
}

// The packages' files of which `followed` is said and, in their place or beside them, the
// manifest's.
std::map<std::string, std::string> followed_files(const BuildInput& input,
                                                  const std::vector<LayerFacts>& layers) {
  std::map<std::string, std::string> out;
  for (const LayerFacts& layer : layers) out.insert(layer.followed.begin(), layer.followed.end());
  for (const auto& file : input.manifest.files) {
    const std::string place = place_in_image(file.path);
    if (is_followed(place)) out.insert_or_assign(place, file.content);
  }
  for (const auto& service : input.manifest.services) {
    for (const auto& file : service.files) {
      const std::string place = place_in_image(file.path);
      if (file.node.empty() && is_followed(place)) out.insert_or_assign(place, file.text);
    }
  }
  return out;
}

std::map<std::string, std::string> only(const std::map<std::string, std::string>& files,
                                        bool (*wanted)(std::string_view)) {
  std::map<std::string, std::string> out;
  for (const auto& [path, text] : files) {
    if (wanted(path)) out.emplace(path, text);
  }
  return out;
}

// What the lock, the manifest and Weir put there themselves.
std::set<std::string> files_decided_by(const BuildInput& input) {
  std::set<std::string> out;
  for (const auto& file : input.manifest.files) out.insert(place_in_image(file.path));
  for (const auto& service : input.manifest.services) {
    for (const auto& file : service.files) out.insert(place_in_image(file.path));
  }
  for (const std::string_view file : manifests::kOwnFiles) out.emplace(file.substr(1));
  return out;
}

std::set<std::string> decided_by(const BuildInput& input) {
  auto out = files_decided_by(input);
  for (const auto& folder : input.lock.folders) out.insert(place_in_image(folder.path));
  return out;
}

// Those of base-passwd, where the image has it. Whom the lock or the manifest makes too is theirs.
void add_base_accounts(const std::map<std::string, std::string>& files, Settings& settings) {
  const auto text = [&](const char* file) {
    const auto found = files.find(std::string("usr/share/base-passwd/") + file);
    return found == files.end() ? std::string_view() : std::string_view(found->second);
  };
  const auto is_there = [](const auto& all, const std::string& name) {
    return std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  };
  for (auto& user : users_in(text("passwd.master"))) {
    if (is_there(settings.users, user.name) || is_there(settings.system_users, user.name)) continue;
    settings.system_users.push_back(std::move(user));
  }
  for (auto& group : groups_in(text("group.master"))) {
    if (is_there(settings.users, group.name) || is_there(settings.system_groups, group.name)) {
      continue;
    }
    settings.system_groups.push_back(std::move(group));
  }
}

// What is made one after another, each on top of what was before.
class Making {
 public:
  /// files   of the manifest and Weir's own: nothing is made around them
  Making(const Overlay& below, std::set<std::string> files)
      : image_(below), files_(std::move(files)) {}

  void add(MadePlaces places) {
    std::erase_if(places.made, [&](const auto& made) {
      const std::string& path = made.path.string();
      const auto below = files_.lower_bound(path + "/");
      const bool holds = below != files_.end() && below->starts_with(path + "/");
      bool in_file = false;
      for (auto parent = made.path.parent(); !parent.is_root(); parent = parent.parent()) {
        const Overlay::Place* there = image_.find(parent.string());
        in_file = in_file || files_.contains(parent.string()) ||
                  (there != nullptr && there->entry.kind != EntryKind::folder);
      }
      const bool stands = in_file || (holds && !made.node.is_folder());
      if (stands) {
        places.unmade.push_back("/" + path + ": a file or link is in its way");
      }
      return stands;
    });
    const Digest none = Digest::of({});
    LayerFacts layer{{std::string(kSettingsLayer), {none, {}}, none, {}}, 0, {}, {}, {}, {}, {}};
    std::set<std::string> folders;
    for (const auto& made : places.made) {
      layer.entries.emplace(made.path.string(), listed(made.node));
      if (made.node.is_folder()) folders.insert(made.path.string());
    }
    image_.settle(folders);
    // What is made takes nobody's place; who would have, said so.
    static_cast<void>(image_.add(layer));
    std::move(places.made.begin(), places.made.end(), std::back_inserter(all_.made));
    for (const std::string& line : places.unmade) all_.unmade.push_back(printable(line));
  }

  [[nodiscard]] const Overlay& image() const { return image_; }
  [[nodiscard]] MadePlaces& all() { return all_; }

 private:
  Overlay image_;
  std::set<std::string> files_;
  MadePlaces all_;
};

}  // namespace

std::string place_in_image(const std::string& path) {
  const auto parsed = images::ImagePath::parse(path);
  if (!parsed) return path;
  const auto place = images::merged(*parsed);
  return place ? place->string() : path;
}

ImageSettings image_settings(const BuildInput& input, const std::vector<LayerFacts>& layers,
                             const Overlay& below, const manifests::Architecture& architecture) {
  ImageSettings out{{input.lock_digest,
                     {},
                     tools_of(input.manifest, input.lock),
                     input.manifest.users,
                     input.manifest.files,
                     codename(input.lock),
                     below.find("etc/os-release") == nullptr,
                     input.lock.users,
                     input.lock.groups,
                     input.lock.folders},
                    {},
                    {}};
  Settings& settings = out.settings;
  settings.services = input.manifest.services;
  const std::int64_t epoch = input.lock.source_epoch;
  const auto files = followed_files(input, layers);
  add_base_accounts(files, settings);
  std::vector<Alternative> choices;
  for (const LayerFacts& layer : layers) {
    choices.insert(choices.end(), layer.alternatives.begin(), layer.alternatives.end());
  }
  const auto decided = decided_by(input);
  Making making(below, files_decided_by(input));
  making.add(apply_tmpfiles(only(files, is_tmpfiles_path), making.image(), decided,
                            accounts_of(settings), epoch));
  making.add(alternative_links(choices, making.image(), decided, epoch));
  making.add(certificate_bundle(only(files, is_certificates_path), making.image(), decided, epoch));
  making.add(loader_cache(files, making.image(), layers, architecture, decided, epoch));
  for (const auto& made : making.all().made) {
    settings.group_ids.insert(made.node.gid);
    if (made.node.is_folder()) out.settled.insert(made.path.string());
  }
  settings.made = std::move(making.all().made);
  out.unmade = std::move(making.all().unmade);
  for (const LayerFacts& layer : layers) {
    if (layer.kernel) settings.modules = layer.kernel->load;
    for (const auto& [_, entry] : layer.entries) settings.group_ids.insert(entry.gid);
  }
  for (const auto& folder : input.lock.folders) settings.group_ids.insert(folder.group_id);
  return out;
}

}  // namespace weir::builder
