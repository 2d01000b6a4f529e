#include "builder/layers/image_checks.h"

#include <algorithm>
#include <array>
#include <deque>

#include "builder/layers/loader_cache.h"

namespace weir::builder {
namespace {

constexpr int kLinks = 40;  ///< as many as the kernel follows
constexpr std::array<std::string_view, 4> kProgramFolders = {"usr/sbin", "usr/bin",
                                                             "usr/local/sbin", "usr/local/bin"};

std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    if (slash > 0 && path.substr(0, slash) != ".") out.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Where the loader looks for `path`'s libraries, in order.
std::vector<std::string> folders_for(const std::string& path, const images::Elf& elf,
                                     const std::vector<std::string>& searched) {
  std::vector<std::string> out;
  std::string_view rest = elf.run_path;
  while (!rest.empty()) {
    const auto colon = std::min(rest.find(':'), rest.size());
    std::string folder(rest.substr(0, colon));
    replace_all(folder, "${ORIGIN}", "/" + folder_of(path));
    replace_all(folder, "$ORIGIN", "/" + folder_of(path));
    if (!folder.empty()) out.push_back(std::move(folder));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  out.insert(out.end(), searched.begin(), searched.end());
  return out;
}

class Libraries {
 public:
  Libraries(const Overlay& image, const std::vector<LayerFacts>& layers,
            const manifests::Architecture& architecture)
      : image_(image), architecture_(architecture) {
    std::map<std::string, std::string> followed;
    for (const LayerFacts& layer : layers) {
      for (const auto& [path, elf] : layer.programs) programs_[path] = &elf;
      for (const auto& [path, text] : layer.followed) followed.insert_or_assign(path, text);
    }
    searched_ = loader_folders(followed);
    const auto own = own_library_folders(architecture);
    searched_.insert(searched_.end(), own.begin(), own.end());
  }

  struct Library {
    std::string path;
    const images::Elf* elf = nullptr;
  };

  std::optional<Library> find(const std::string& path, const images::Elf& elf,
                              const std::string& name) const {
    if (name.find('/') != std::string::npos) return load(name);
    for (const std::string& folder : folders_for(path, elf, searched_)) {
      if (auto found = load(folder + "/" + name)) return found;
    }
    return std::nullopt;
  }

  /// Whether whoever loads this library loads `name` too, and finds it: the loader takes what is
  /// loaded already before it looks anywhere.
  [[nodiscard]] bool is_brought(const std::string& path, const std::string& name) const {
    bool any = false;
    for (const auto& [user, elf] : programs_) {
      const auto needs = [&, &who = user, &of = elf](const std::string& needed) {
        const auto library = find(who, *of, needed);
        return library && library->path == path;
      };
      if (std::none_of(elf->needed.begin(), elf->needed.end(), needs)) continue;
      const bool too = std::find(elf->needed.begin(), elf->needed.end(), name) != elf->needed.end();
      if (!too || !find(user, *elf, name)) return false;
      any = true;
    }
    return any;
  }

  std::optional<Library> load(const std::string& path) const {
    const auto real = image_.resolve(path);
    const auto found = real ? programs_.find(*real) : programs_.end();
    if (found == programs_.end() || found->second->machine != architecture_.elf_machine) {
      return std::nullopt;
    }
    return Library{*real, found->second};
  }

 private:
  const Overlay& image_;
  const manifests::Architecture& architecture_;
  std::map<std::string, const images::Elf*> programs_;
  std::vector<std::string> searched_;  ///< folders, behind a run path
};

// What the loader would say at the program's start: "version `X' not found". A library without any
// versions is taken as it is (ld.so warns).
void add_versions(const Libraries& libraries, const std::string& path, const images::Elf& elf,
                  const std::string& file, std::vector<std::string>& missing) {
  for (const auto& [name, versions] : elf.version_needs) {
    const auto library = libraries.find(path, elf, name);
    if (!library || library->elf->versions.empty()) continue;
    for (const std::string& version : versions) {
      if (library->elf->versions.contains(version)) continue;
      missing.push_back(file + "version " + version + " of " + name + ", which /" + library->path +
                        " does not define");
    }
  }
}

std::string owner_and_mode(const ListedEntry& entry) {
  return std::to_string(entry.uid) + ":" + std::to_string(entry.gid) + " " +
         manifests::print_mode(entry.mode);
}

}  // namespace

std::vector<std::string> Overlay::add(const LayerFacts& layer,
                                      const std::set<std::string>& replaces) {
  std::vector<std::string> out;
  for (const auto& [path, entry] : layer.entries) {
    const auto found = places_.find(path);
    if (found == places_.end() || replaces.contains(path)) {
      places_.insert_or_assign(path, Place{layer.layer.name, entry});
      continue;
    }
    const Place& there = found->second;
    const bool folders = there.entry.kind == EntryKind::folder && entry.kind == EntryKind::folder;
    if (folders && there.entry == entry) continue;
    if (folders && settled_.contains(path)) {
      places_[path] = {layer.layer.name, entry};
      continue;
    }
    const std::string both = there.layer + " and " + layer.layer.name;
    if (folders) {
      out.push_back("folder /" + path + " has another owner or mode in " + both + " (" +
                    owner_and_mode(there.entry) + " and " + owner_and_mode(entry) +
                    "): which of the two holds would follow from the order of their names");
    } else {
      out.push_back("/" + path + " is in both " + both);
    }
  }
  return out;
}

const Overlay::Place* Overlay::find(const std::string& path) const {
  const auto found = places_.find(path);
  return found == places_.end() ? nullptr : &found->second;
}

std::vector<std::string> Overlay::programs_named(std::string_view name) const {
  std::vector<std::string> out;
  const std::string end = "/" + std::string(name);
  for (const auto& [path, place] : places_) {
    const bool may = place.entry.kind == EntryKind::file && (place.entry.mode & 0111U) != 0;
    if (may && path.ends_with(end)) out.push_back("/" + path);
  }
  return out;
}

std::vector<std::pair<std::string, const ListedEntry*>> Overlay::entries_in(
    const std::string& folder) const {
  std::vector<std::pair<std::string, const ListedEntry*>> out;
  const std::string prefix = folder + "/";
  for (auto place = places_.lower_bound(prefix);
       place != places_.end() && place->first.starts_with(prefix); ++place) {
    std::string name = place->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) {
      out.emplace_back(std::move(name), &place->second.entry);
    }
  }
  return out;
}

std::optional<std::string> Overlay::resolve(std::string_view path) const {
  const auto first = parts_of(path);
  std::deque<std::string> rest(first.begin(), first.end());
  std::string at;
  int links = 0;
  while (!rest.empty()) {
    const std::string part = std::move(rest.front());
    rest.pop_front();
    if (part == "..") {
      at = folder_of(at);
      continue;
    }
    const std::string next = at.empty() ? part : at + "/" + part;
    const Place* place = find(next);
    if (place == nullptr) return std::nullopt;
    if (place->entry.kind != EntryKind::link) {
      if (place->entry.kind != EntryKind::folder && !rest.empty()) return std::nullopt;
      at = next;
      continue;
    }
    if (++links > kLinks) return std::nullopt;
    const auto target = parts_of(place->entry.target);
    rest.insert(rest.begin(), target.begin(), target.end());
    if (place->entry.target.starts_with('/')) at.clear();
  }
  return at;
}

std::vector<std::string> missing_links(const Overlay& image, const std::vector<LayerFacts>& layers,
                                       const manifests::Architecture& architecture) {
  const Libraries libraries(image, layers, architecture);
  std::vector<std::string> missing;
  for (const LayerFacts& layer : layers) {
    for (const auto& [path, elf] : layer.programs) {
      if (elf.machine != architecture.elf_machine) continue;
      const std::string file = "/" + path + " (" + layer.layer.name + ") needs ";
      if (!elf.interpreter.empty() && !libraries.load(elf.interpreter)) {
        missing.push_back(file + "the interpreter " + elf.interpreter);
      }
      for (const std::string& name : elf.needed) {
        if (!libraries.find(path, elf, name) && !libraries.is_brought(path, name)) {
          missing.push_back(file + name);
        }
      }
      add_versions(libraries, path, elf, file, missing);
    }
  }
  return missing;
}

bool is_accepted(const std::vector<manifests::AcceptedScript>& accepted, const std::string& package,
                 const std::string& script, const Digest& digest) {
  return std::any_of(accepted.begin(), accepted.end(), [&](const auto& entry) {
    return manifests::matches(entry.package, package) && entry.script == script &&
           std::find(entry.digests.begin(), entry.digests.end(), digest) != entry.digests.end();
  });
}

std::vector<std::string> open_scripts(const std::vector<LayerFacts>& layers,
                                      const std::vector<manifests::AcceptedScript>& accepted) {
  std::vector<std::string> out;
  for (const LayerFacts& layer : layers) {
    for (const auto& [script, digest] : layer.scripts) {
      if (is_accepted(accepted, layer.layer.name, script, digest)) continue;
      out.push_back(layer.layer.name + " " + script + " sha256 " + digest.hex());
    }
  }
  return out;
}

std::vector<OrphanScript> orphan_scripts(const Overlay& image,
                                         const std::vector<LayerFacts>& layers) {
  const auto is_there = [&](const std::string& path) {
    const auto real = image.resolve(path);
    return real && image.find(*real)->entry.kind == EntryKind::file;
  };
  const auto is_in_path = [&](const std::string& name) {
    return std::any_of(
        kProgramFolders.begin(), kProgramFolders.end(),
        [&](std::string_view folder) { return is_there(std::string(folder) + "/" + name); });
  };
  std::vector<OrphanScript> out;
  for (const LayerFacts& layer : layers) {
    for (const auto& [path, interpreter] : layer.interpreters) {
      const auto blank = std::min(interpreter.find(' '), interpreter.size());
      const std::string first = interpreter.substr(0, blank);
      if (!is_there(first)) {
        out.push_back({"/" + path, layer.layer.name, first});
      } else if (blank < interpreter.size() && !is_in_path(interpreter.substr(blank + 1))) {
        out.push_back({"/" + path, layer.layer.name, interpreter.substr(blank + 1)});
      }
    }
  }
  return out;
}

}  // namespace weir::builder
