#include "builder/layers/loader_cache.h"

#include <fnmatch.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace weir::builder {
namespace {

constexpr std::string_view kConfiguration = "etc/ld.so.conf", kCache = "etc/ld.so.cache";
constexpr std::string_view kConfBlank = " \t\r\v\f";
constexpr int kIncludes = 8;  ///< files within files

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(kConfBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kConfBlank) + 1 - first);
}

// Reads one file and what it includes.
class LoaderFolders {
 public:
  explicit LoaderFolders(const std::map<std::string, std::string>& files) : files_(files) {}

  // NOLINTNEXTLINE(misc-no-recursion): at most kIncludes deep
  void read(const std::string& path, int depth) {
    const auto file = files_.find(path);
    if (file == files_.end() || !read_.insert(path).second) return;
    std::string_view rest = file->second;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      take(without_blanks(line.substr(0, std::min(line.find('#'), line.size()))), path, depth);
    }
  }

  std::vector<std::string> out;

 private:
  // NOLINTNEXTLINE(misc-no-recursion): at most kIncludes deep
  void take(std::string_view line, const std::string& path, int depth) {
    constexpr std::string_view kInclude = "include", kHwcap = "hwcap";
    const auto is = [&](std::string_view word) {
      return line.starts_with(word) && line.size() > word.size() &&
             kConfBlank.find(line[word.size()]) != std::string_view::npos;
    };
    if (line.empty() || is(kHwcap)) return;
    if (is(kInclude)) {
      if (depth == 0) return;
      line.remove_prefix(kInclude.size());
      for (line = without_blanks(line); !line.empty(); line = without_blanks(line)) {
        const auto end = std::min(line.find_first_of(kConfBlank), line.size());
        include(std::string(line.substr(0, end)), path, depth - 1);
        line.remove_prefix(end);
      }
      return;
    }
    // "FOLDER=TYPE" is an old way to write the folder.
    std::string folder(without_blanks(line.substr(0, std::min(line.find('='), line.size()))));
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    if (!folder.starts_with('/')) return;
    if (std::find(out.begin(), out.end(), folder) == out.end()) out.push_back(std::move(folder));
  }

  // NOLINTNEXTLINE(misc-no-recursion): at most kIncludes deep
  void include(std::string pattern, const std::string& from, int depth) {
    if (!pattern.starts_with('/')) pattern = from.substr(0, from.rfind('/') + 1) + pattern;
    if (pattern.starts_with('/')) pattern.erase(0, 1);
    for (const auto& [path, _] : files_) {
      if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) {
        read(path, depth);
      }
    }
  }

  const std::map<std::string, std::string>& files_;
  std::set<std::string> read_;  ///< a file that includes itself says nothing new
};

struct Candidate {
  std::string file;  ///< its name in the folder
  bool link = false;
};

class CacheSearch {
 public:
  CacheSearch(const Overlay& image, const std::vector<LayerFacts>& layers, std::uint16_t machine)
      : image_(image), machine_(machine) {
    for (const LayerFacts& layer : layers) {
      for (const auto& [path, elf] : layer.programs) programs_[path] = &elf;
    }
  }

  void add(const std::string& folder) {
    const auto real = image_.resolve(folder);
    if (!real || !done_.insert(*real).second) return;
    std::map<std::string, Candidate> found;  // by soname
    for (const auto& [name, entry] : image_.entries_in(*real)) {
      const bool named = (name.starts_with("lib") || name.starts_with("ld-")) &&
                         name.find(".so") != std::string::npos;
      if (!named) continue;
      const images::Elf* elf = library_at(*real + "/" + name);
      if (elf == nullptr) continue;
      std::string soname = elf->soname.empty() ? name : elf->soname;
      // A link for linkers has an entry of its own.
      const bool link = entry->kind == EntryKind::link &&
                        (name == soname || (name.ends_with(".so") && soname.starts_with(name)));
      if (link) soname = name;
      const auto [there, is_new] = found.try_emplace(soname, Candidate{name, link});
      if (is_new) continue;
      const bool better = link == there->second.link
                              ? images::compare_library_names(there->second.file, name) < 0
                              : !link;
      if (better) there->second = {name, link};
    }
    for (const auto& [soname, _] : found) out.push_back({soname, folder + "/" + soname});
  }

  std::vector<images::CachedLibrary> out;

 private:
  [[nodiscard]] const images::Elf* library_at(const std::string& path) const {
    const auto real = image_.resolve(path);
    const auto found = real ? programs_.find(*real) : programs_.end();
    if (found == programs_.end() || found->second->machine != machine_) return nullptr;
    return found->second;
  }

  const Overlay& image_;
  std::uint16_t machine_;
  std::map<std::string, const images::Elf*> programs_;
  std::set<std::string> done_;
};

}  // namespace

std::vector<std::string> loader_folders(const std::map<std::string, std::string>& files) {
  LoaderFolders folders(files);
  folders.read(std::string(kConfiguration), kIncludes);
  return std::move(folders.out);
}

std::vector<std::string> own_library_folders(const manifests::Architecture& architecture) {
  const std::string own = "/lib/" + std::string(architecture.library_folder);
  return {own, "/usr" + own, "/lib", "/usr/lib"};
}

std::vector<images::CachedLibrary> cached_libraries(const std::vector<std::string>& folders,
                                                    const Overlay& image,
                                                    const std::vector<LayerFacts>& layers,
                                                    const manifests::Architecture& architecture) {
  CacheSearch search(image, layers, architecture.elf_machine);
  for (const std::string& folder : folders) search.add(folder);
  for (const std::string& folder : own_library_folders(architecture)) search.add(folder);
  return std::move(search.out);
}

MadePlaces loader_cache(const std::map<std::string, std::string>& files, const Overlay& image,
                        const std::vector<LayerFacts>& layers,
                        const manifests::Architecture& architecture,
                        const std::set<std::string>& decided, std::int64_t epoch) {
  MadePlaces out;
  if (!files.contains(std::string(kConfiguration)) || decided.contains(std::string(kCache)) ||
      image.find(std::string(kCache)) != nullptr) {
    return out;
  }
  const std::string text = images::encode_loader_cache(
      cached_libraries(loader_folders(files), image, layers, architecture),
      architecture.loader_kind, "weir-builder");
  const auto path = images::ImagePath::parse(kCache);
  if (path) {
    out.made.push_back(
        {*path, images::Node{0644, 0, 0, epoch, images::File{images::content_of(text)}}});
  }
  return out;
}

}  // namespace weir::builder
