#include "manifests/documents/image_places.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "manifests/base/printable.h"
#include "manifests/base/yaml_document.h"

namespace weir::manifests {
namespace {

bool is_merged_folder(std::string_view path) {
  return std::any_of(kMergedFolders.begin(), kMergedFolders.end(),
                     [&](std::string_view folder) { return path.substr(1) == folder; });
}

// Where `path` stands once the links into /usr are followed.
std::string place_of(std::string_view path) {
  const auto first = path.substr(0, path.find('/', 1));
  return (is_merged_folder(first) ? "/usr" : "") + std::string(path);
}

struct Entry {
  std::string place, path;
  std::string said;  ///< "files[1].path", or whose else it is
};

std::string shown(const Entry& entry) {
  return quotation(entry.path) + " (" + entry.said + ")";
}

using Entries = std::map<std::string, Entry, std::less<>>;  ///< by place

struct Written {
  Entry entry;
  YamlField field;
};

// The paths of a manifest's list, as they are written.
Result<std::vector<Written>> read_paths(const YamlField& root, std::string_view list) {
  std::vector<Written> out;
  const auto field = root.find(list);
  if (!field) return out;
  TRY_ASSIGN(const auto items, field->items());
  for (const auto& item : items) {
    TRY_ASSIGN(const auto at, item.at("path"));
    TRY_ASSIGN(const std::string path, at.text());
    out.push_back({{place_of(path), path, at.path()}, at});
  }
  return out;
}

// The files of a manifest's services behind its own.
Status add_service_files(const YamlField& root, std::vector<Written>& to) {
  const auto field = root.find("services");
  if (!field) return {};
  TRY_ASSIGN(const auto services, field->members());
  for (const auto& [_, service] : services) {
    const auto files = service.find("files");
    if (!files) continue;
    TRY_ASSIGN(const auto members, files->members());
    for (const auto& [path, file] : members) {
      to.push_back({{place_of(path), path, file.path()}, file});
    }
  }
  return {};
}

// No two at one place, none at or below a file of Weir's own, none that no node shows.
Result<Entries> by_place(const std::vector<Written>& list) {
  Entries out;
  for (const auto& [entry, field] : list) {
    for (const std::string_view own : kOwnFiles) {
      if (entry.place != own && !entry.place.starts_with(std::string(own) + "/")) continue;
      return field.wrong(quotation(own) + " is a file that every image has already");
    }
    for (const std::string_view mounted : kMountedFolders) {
      if (!entry.place.starts_with(std::string(mounted) + "/")) continue;
      return field.wrong(quotation(entry.path) + " would be hidden: nodes mount a file system at " +
                         quotation(mounted) + " when they boot");
    }
    const auto [there, added] = out.try_emplace(entry.place, entry);
    if (added) continue;
    if (entry.path == there->second.path) {
      return field.wrong(quotation(entry.path) + " is also " + shown(there->second));
    }
    return field.wrong(quotation(entry.path) + " is " + shown(there->second) +
                       ": every image has its folder as a link into /usr");
  }
  return out;
}

Entries own_entries() {
  Entries out;
  for (const std::string_view path : kOwnFiles) {
    out.emplace(path, Entry{std::string(path), std::string(path), "in every image"});
  }
  for (const std::string_view path : kOwnFolders) {
    out.emplace(path, Entry{std::string(path), std::string(path), "a folder of every image"});
  }
  return out;
}

}  // namespace

Status check_image_places(const YamlField& root) {
  TRY_ASSIGN(auto files, read_paths(root, "files"));
  TRY(add_service_files(root, files));
  TRY_ASSIGN(const auto folders, read_paths(root, "folders"));
  TRY_ASSIGN(const Entries as_files, by_place(files));
  TRY_ASSIGN(const Entries as_folders, by_place(folders));
  const Entries own = own_entries();
  for (const auto& [entry, field] : files) {
    std::string why;
    if (is_merged_folder(entry.path)) why = "every image has it as a link into /usr";
    for (const Entries* others : {&as_files, &as_folders, &own}) {
      const auto same = others->find(entry.place);
      if (others != &as_files && same != others->end()) why = "it is also " + shown(same->second);
      const auto below = others->lower_bound(entry.place + "/");
      if (below != others->end() && below->first.starts_with(entry.place + "/")) {
        why = shown(below->second) + " lies below it";
      }
    }
    if (!why.empty()) return field.wrong(quotation(entry.path) + " cannot be a file: " + why);
  }
  return {};
}

}  // namespace weir::manifests
