#include "builder/module_selection.h"

#include <algorithm>

namespace weir::builder {
namespace {

using images::FileTree;
using images::ImagePath;

constexpr std::string_view kModules = "usr/lib/modules/";

std::string_view text_of(const FileTree& tree, const std::string& path) {
  const auto parsed = ImagePath::parse(path);
  const images::Node* node = parsed ? tree.find(*parsed) : nullptr;
  if (node == nullptr || node->file() == nullptr) return {};
  const auto& bytes = *node->file()->content;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class Use>
void each_part(std::string_view text, char separator, Use use) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// A module's needs, its needs' needs and so on: every module stands before those it needs, as
// depmod writes them, so that loading from the last to the first works.
void collect(const std::map<std::string, SelectedModule>& modules, const std::string& name,
             std::set<std::string>& seen, std::vector<std::string>& out) {
  const auto found = modules.find(name);
  if (found == modules.end() || !seen.insert(name).second) return;
  std::vector<std::string> needs = found->second.module.depends;
  std::sort(needs.rbegin(), needs.rend());
  for (const std::string& need : needs) collect(modules, need, seen, out);
  out.insert(out.begin(), name);
}

std::string print_dependencies(const std::map<std::string, SelectedModule>& modules,
                               const std::string& root) {
  std::map<std::string, std::string> lines;
  for (const auto& [name, selected] : modules) {
    std::set<std::string> seen;
    std::vector<std::string> order;
    collect(modules, name, seen, order);
    const std::string path = selected.path.string().substr(root.size());
    std::string line = path + ":";
    for (const std::string& need : order) {
      if (need != name) line += " " + modules.at(need).path.string().substr(root.size());
    }
    lines[path] = line + "\n";
  }
  std::string out;
  for (const auto& [_, line] : lines) out += line;
  return out;
}

Status check_soft(const ModuleIndex& index, const ModuleSelection& selection) {
  std::set<std::string> there;
  for (const auto& names : {index.builtin, index.builtin_aliases}) {
    for (const std::string& name : names) there.insert(module_name(name));
  }
  for (const auto& [name, selected] : selection.modules) {
    there.insert(name);
    for (const std::string& alias : selected.module.aliases) there.insert(module_name(alias));
  }
  for (const auto& [name, selected] : selection.modules) {
    for (const std::string& wanted : selected.module.wanted_before) {
      if (there.contains(module_name(wanted))) continue;
      return fail(Errc::invalid_input,
                  "module " + name + " wants '" + wanted +
                      "' loaded before it (softdep): add a module that provides it to the "
                      "manifest's modules, before " +
                      name);
    }
  }
  return {};
}

}  // namespace

Result<ModuleIndex> index_modules(const FileTree& tree) {
  ModuleIndex out;
  for (const auto& [path, node] : tree.nodes()) {
    if (node.file() == nullptr || !path.string().starts_with(kModules)) continue;
    const std::string_view rest = std::string_view(path.string()).substr(kModules.size());
    const std::string release(rest.substr(0, rest.find('/')));
    if (out.release.empty()) out.release = release;
    if (out.release != release) {
      return fail(Errc::invalid_input,
                  "modules of two kernels: " + out.release + " and " + release);
    }
    if (std::string name = module_name_of(rest); !name.empty()) out.files[std::move(name)] = path;
  }
  if (out.release.empty()) return fail(Errc::invalid_input, "no kernel modules in it");
  const std::string root = std::string(kModules) + out.release;
  each_part(text_of(tree, root + "/modules.builtin"), '\n', [&](std::string_view line) {
    if (std::string name = module_name_of(line); !name.empty()) out.builtin.insert(std::move(name));
  });
  each_part(text_of(tree, root + "/modules.builtin.modinfo"), '\0', [&](std::string_view fact) {
    const auto alias = fact.find(".alias=");
    if (alias != std::string_view::npos) out.builtin_aliases.emplace(fact.substr(alias + 7));
  });
  return out;
}

Result<ModuleSelection> select_modules(const FileTree& tree, const ModuleIndex& index,
                                       const std::vector<std::string>& pinned) {
  ModuleSelection out;
  struct Wanted {
    std::string name, by;
  };
  std::vector<Wanted> wanted;
  for (const std::string& text : pinned) {
    const std::string name = module_name(text);
    wanted.push_back({name, ""});
    if (!index.builtin.contains(name)) out.load.push_back(name);
  }
  while (!wanted.empty()) {
    const Wanted next = std::move(wanted.back());
    wanted.pop_back();
    if (index.builtin.contains(next.name) || out.modules.contains(next.name)) continue;
    const std::string what =
        "module " + next.name + (next.by.empty() ? "" : ", which " + next.by + " needs,");
    const auto found = index.files.find(next.name);
    if (found == index.files.end()) {
      return fail(Errc::not_found, what + " is neither in kernel " + index.release +
                                       "'s package nor built into that kernel");
    }
    const images::Content& content = tree.find(found->second)->file()->content;
    const std::string place = "/" + found->second.string();
    TRY_ASSIGN_IN(images::Content unpacked, unpack_kernel_module(content), place);
    TRY_ASSIGN_IN(KernelModule module, parse_kernel_module(*unpacked), place);
    for (const std::string& need : module.depends) wanted.push_back({need, next.name});
    out.modules.emplace(next.name, SelectedModule{found->second, std::move(module),
                                                  Digest::of(*content), std::move(unpacked)});
  }
  TRY(check_soft(index, out));
  out.dependencies = print_dependencies(out.modules, std::string(kModules) + index.release + "/");
  return out;
}

}  // namespace weir::builder
