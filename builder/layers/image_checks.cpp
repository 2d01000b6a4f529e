#include "builder/layers/image_checks.h"

#include <algorithm>
#include <array>
#include <deque>

namespace weir::builder {
namespace {

constexpr int kLinks = 40;  ///< as many as the kernel follows
constexpr std::size_t kShown = 10;
constexpr std::uint16_t kX86_64 = 62;  ///< EM_X86_64
constexpr std::array<std::string_view, 4> kLibraryFolders = {
    "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib", "usr/lib"};

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

std::string list_of(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i) {
    out += (i == 0 ? "" : "; ") + items[i];
  }
  if (items.size() > kShown) out += "; and " + std::to_string(items.size() - kShown) + " more";
  return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Where the loader looks for `path`'s libraries, in order.
std::vector<std::string> folders_for(const std::string& path, const images::Elf& elf) {
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
  out.insert(out.end(), kLibraryFolders.begin(), kLibraryFolders.end());
  return out;
}

class Libraries {
 public:
  Libraries(const Overlay& image, const std::vector<LayerFacts>& layers) : image_(image) {
    for (const LayerFacts& layer : layers) {
      for (const auto& [path, elf] : layer.programs) programs_[path] = &elf;
    }
  }

  struct Library {
    std::string path;
    const images::Elf* elf = nullptr;
  };

  std::optional<Library> find(const std::string& path, const images::Elf& elf,
                              const std::string& name) const {
    if (name.find('/') != std::string::npos) return load(name);
    for (const std::string& folder : folders_for(path, elf)) {
      if (auto found = load(folder + "/" + name)) return found;
    }
    return std::nullopt;
  }

  std::optional<Library> load(const std::string& path) const {
    const auto real = image_.resolve(path);
    const auto found = real ? programs_.find(*real) : programs_.end();
    if (found == programs_.end() || found->second->machine != kX86_64) return std::nullopt;
    return Library{*real, found->second};
  }

 private:
  const Overlay& image_;
  std::map<std::string, const images::Elf*> programs_;
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

std::string digests_wanted(const std::string& package, const std::string& script,
                           const Digest& digest) {
  return package + " " + script + " sha256 " + digest.hex();
}

}  // namespace

Status Overlay::add(const LayerFacts& layer, const std::set<std::string>& replaces) {
  for (const auto& [path, entry] : layer.entries) {
    const auto found = places_.find(path);
    if (found == places_.end() || replaces.contains(path)) {
      places_.insert_or_assign(path, Place{layer.layer.name, entry});
      continue;
    }
    const Place& there = found->second;
    const bool folders = there.entry.kind == EntryKind::folder && entry.kind == EntryKind::folder;
    if (folders && there.entry == entry) continue;
    const std::string both = there.layer + " and " + layer.layer.name;
    if (folders) {
      return fail(Errc::invalid_input, "folder /" + path + " has another owner or mode in " + both);
    }
    return fail(Errc::invalid_input, "/" + path + " is in both " + both);
  }
  return {};
}

const Overlay::Place* Overlay::find(const std::string& path) const {
  const auto found = places_.find(path);
  return found == places_.end() ? nullptr : &found->second;
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

Status check_libraries(const Overlay& image, const std::vector<LayerFacts>& layers) {
  const Libraries libraries(image, layers);
  std::vector<std::string> missing;
  for (const LayerFacts& layer : layers) {
    for (const auto& [path, elf] : layer.programs) {
      if (elf.machine != kX86_64) continue;
      const std::string file = "/" + path + " (" + layer.layer.name + ") needs ";
      if (!elf.interpreter.empty() && !libraries.load(elf.interpreter)) {
        missing.push_back(file + "the interpreter " + elf.interpreter);
      }
      for (const std::string& name : elf.needed) {
        if (!libraries.find(path, elf, name)) missing.push_back(file + name);
      }
      add_versions(libraries, path, elf, file, missing);
    }
  }
  if (missing.empty()) return {};
  return fail(Errc::not_found,
              "not in the image: " + list_of(missing) +
                  ": add the packages that have them to the manifest, in versions that fit one "
                  "another");
}

Status check_scripts(const std::vector<LayerFacts>& layers,
                     const std::vector<manifests::AcceptedScript>& accepted) {
  std::vector<std::string> open;
  for (const LayerFacts& layer : layers) {
    for (const auto& [script, digest] : layer.scripts) {
      const bool known = std::any_of(
          accepted.begin(), accepted.end(),
          [&, script = script, digest = digest](const manifests::AcceptedScript& entry) {
            return manifests::matches(entry.package, layer.layer.name) && entry.script == script &&
                   std::find(entry.digests.begin(), entry.digests.end(), digest) !=
                       entry.digests.end();
          });
      if (!known) open.push_back(digests_wanted(layer.layer.name, script, digest));
    }
  }
  if (open.empty()) return {};
  std::string all;
  for (const std::string& item : open) all += (all.empty() ? "" : "; ") + item;
  return fail(
      Errc::unauthorized,
      "maintainer scripts that nobody accounted for: " + all +
          ": read each, and list it under accept_scripts in the manifest if the image can do "
          "without it");
}

}  // namespace weir::builder
