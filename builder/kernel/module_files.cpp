#include "builder/kernel/module_files.h"

#include <algorithm>
#include <utility>

namespace weir::builder {
namespace {

constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._~";

Result<images::ImagePath> place_of(const NamedModule& named) {
  TRY_ASSIGN(const KernelModule module, parse_kernel_module(*named.content));
  const std::string name = module_name(named.name);
  if (module.name != name) {
    return fail(Errc::invalid_input, "is the module " + module.name + ", not " + name);
  }
  const std::string release = module.vermagic.substr(0, module.vermagic.find(' '));
  if (release.empty() || release.front() == '.' ||
      release.find_first_not_of(kLetters) != std::string::npos) {
    return fail(Errc::invalid_input, "its vermagic '" + module.vermagic.substr(0, 80) +
                                         "' does not begin with a kernel's release");
  }
  const std::string file = named.file.substr(named.file.rfind('/') + 1);
  const std::string suffix = file.substr(std::min(file.rfind(".ko"), file.size()));
  const std::string folder = named.package == kFromFile ? "/updates/" : "/updates/dkms/";
  return images::ImagePath::parse("usr/lib/modules/" + release + folder + name + suffix);
}

}  // namespace

Result<images::FileTree> make_modules_tree(const std::vector<NamedModule>& modules) {
  images::FileTree tree;
  for (const NamedModule& module : modules) {
    TRY_ASSIGN_IN(const images::ImagePath place, place_of(module), module.file);
    TRY_IN(tree.put(place, images::Node{0644, 0, 0, 0, images::File{module.content}}), module.file);
  }
  return tree;
}

std::vector<ForeignModule> foreign_modules_of(const std::vector<NamedModule>& modules,
                                              const images::FileTree& tree) {
  std::vector<ForeignModule> out;
  for (const auto& [path, node] : tree.nodes()) {
    const std::string name = module_name_of(path.string());
    const auto found = std::find_if(modules.begin(), modules.end(), [&](const auto& module) {
      return module_name(module.name) == name;
    });
    if (node.file() == nullptr || found == modules.end()) continue;
    out.push_back({found->package, path.string(), Digest::of(*found->content), found->content,
                   found->own_signer});
  }
  return out;
}

std::vector<ForeignModule> foreign_modules_in(const std::string& layer,
                                              const std::vector<ModuleFile>& files) {
  std::vector<ForeignModule> out;
  out.reserve(files.size());
  for (const ModuleFile& file : files) out.push_back({layer, file.path, file.digest});
  return out;
}

std::map<std::string, std::string> chosen_modules(const manifests::ImageManifest& manifest,
                                                  const std::set<std::string>& kernel) {
  std::map<std::string, std::string> out;
  for (const auto& [name, source] : manifest.module_sources) {
    if (kernel.contains(source.package)) continue;
    if (!source.dkms.empty()) {
      out.emplace(name, source.dkms);
    } else {
      out.emplace(name, source.file.empty() ? source.package : std::string(kFromFile));
    }
  }
  return out;
}

}  // namespace weir::builder
