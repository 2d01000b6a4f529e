#include "builder/kernel/module_selection.h"

#include <algorithm>

#include "manifests/base/closest_names.h"

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
    if (!selected.path.string().starts_with(root)) continue;
    const std::string path = selected.path.string().substr(root.size());
    std::string line = path + ":";
    for (const std::string& need : order) {
      const std::string& other = modules.at(need).path.string();
      if (need != name && other.starts_with(root)) line += " " + other.substr(root.size());
    }
    lines[path] = line + "\n";
  }
  std::string out;
  for (const auto& [_, line] : lines) out += line;
  return out;
}

bool provides(const FileTree& tree, const std::string& name, const ImagePath& path,
              const std::string& wanted) {
  if (name == wanted) return true;
  const auto module = parse_kernel_module(*tree.find(path)->file()->content);
  return module && std::any_of(module->aliases.begin(), module->aliases.end(),
                               [&](const auto& alias) { return module_name(alias) == wanted; });
}

// Which of the kernel's modules answer to a name. To read all takes seconds, so those whose own
// name has it in it come first, and are mostly all there are.
std::vector<std::string> providers_of(const FileTree& tree, const ModuleIndex& index,
                                      const std::string& wanted) {
  std::vector<std::string> out;
  for (const bool alike : {true, false}) {
    for (const auto& [name, path] : index.files) {
      if ((name.find(wanted) != std::string::npos) == alike && provides(tree, name, path, wanted)) {
        out.push_back(name);
      }
    }
    if (!out.empty()) break;
  }
  return out;
}

std::string what_to_add(const std::vector<std::string>& providers, const std::string& before) {
  const std::string where = " to the manifest's modules, before " + before;
  if (providers.empty()) {
    return ", and no module of this kernel provides it: add one from elsewhere that does" + where;
  }
  if (providers.size() == 1) return ": add " + providers.front() + where;
  std::string names;
  for (const std::string& name : providers) names += (names.empty() ? "" : ", ") + name;
  return ": add one that provides it (" + names + ")" + where;
}

// What each lacks, told together.
class Lacks {
 public:
  void add(Error error) {
    if (errors_.empty()) code_ = error.code;
    if (std::find(errors_.begin(), errors_.end(), error.message) == errors_.end()) {
      errors_.push_back(std::move(error.message));
    }
  }
  [[nodiscard]] Status status() const {
    if (errors_.empty()) return {};
    std::string all;
    for (const std::string& each : errors_) all += (all.empty() ? "" : "; ") + each;
    return fail(code_, std::move(all));
  }

 private:
  Errc code_{};
  std::vector<std::string> errors_;
};

Status check_soft(const FileTree& tree, const ModuleIndex& index,
                  const ModuleSelection& selection) {
  std::set<std::string> there;
  for (const auto& names : {index.builtin, index.builtin_aliases}) {
    for (const std::string& name : names) there.insert(module_name(name));
  }
  for (const auto& [name, selected] : selection.modules) {
    there.insert(name);
    for (const std::string& alias : selected.module.aliases) there.insert(module_name(alias));
  }
  Lacks lacks;
  for (const auto& [name, selected] : selection.modules) {
    for (const std::string& wanted : selected.module.wanted_before) {
      if (there.contains(module_name(wanted))) continue;
      lacks.add({Errc::invalid_input, 0,
                 "module " + name + " wants '" + wanted + "' loaded before it (softdep)" +
                     what_to_add(providers_of(tree, index, module_name(wanted)), name)});
    }
  }
  return lacks.status();
}

std::string suffix_of(std::string_view path) {
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return std::string(file.substr(std::min(file.rfind(".ko"), file.size())));
}

std::string called(const std::string& package) {
  return package == kFromFile ? "a file" : "package " + package;
}

// One selection on its way.
class Selector {
 public:
  Selector(const FileTree& tree, const ModuleIndex& index, const ForeignModules& foreign)
      : tree_(tree),
        index_(index),
        foreign_(foreign),
        root_(std::string(kModules) + index.release + "/") {
    for (const auto& [name, package] : foreign.chosen) chosen_[module_name(name)] = package;
  }

  Result<ModuleSelection> select(const std::vector<std::string>& pinned) {
    for (const ForeignModule& module : foreign_.modules) TRY(add_foreign(module));
    TRY(check_chosen());
    for (const std::string& text : pinned) {
      const std::string name = module_name(text);
      if (!index_.builtin.contains(name)) out_.load.push_back(name);
      TRY(add_or_note({name, "", false}));
    }
    while (!wanted_.empty()) {
      const Wanted next = std::move(wanted_.back());
      wanted_.pop_back();
      TRY(add_or_note(next));
    }
    TRY(lacks_.status());
    TRY(check_soft(tree_, index_, out_));
    out_.dependencies = print_dependencies(out_.modules, root_);
    return std::move(out_);
  }

 private:
  struct Wanted {
    std::string name, by;
    bool by_foreign = false;
  };

  [[nodiscard]] std::string closest_to(const std::string& name) const {
    std::vector<std::string_view> all(index_.builtin.begin(), index_.builtin.end());
    for (const auto& [each, path] : index_.files) all.push_back(each);
    return suggestion(name, all);
  }

  Status insert(const std::string& name, const ImagePath& path, const images::Content& content,
                const Digest& digest, const std::string& package,
                const std::optional<std::string>& own_signer = {}) {
    const std::string place = "/" + path.string();
    TRY_ASSIGN_IN(images::Content unpacked, unpack_kernel_module(content), place);
    TRY_ASSIGN_IN(KernelModule module, parse_kernel_module(*unpacked), place);
    if (!package.empty() && module.name != name) {
      return fail(Errc::invalid_input,
                  place + " is the module " + module.name + ", not " + name + " as its name says");
    }
    for (const std::string& need : module.depends) {
      wanted_.push_back({need, name, !package.empty()});
    }
    out_.modules.emplace(name, SelectedModule{path, std::move(module), digest, std::move(unpacked),
                                              package, own_signer});
    return {};
  }

  Status add_foreign(const ForeignModule& foreign) {
    TRY_ASSIGN(const ImagePath path, ImagePath::parse(foreign.path));
    const std::string name = module_name_of(foreign.path);
    const std::string what =
        "module " + name + " (/" + foreign.path + ", of " + called(foreign.package) + ") ";
    if (const auto other = out_.modules.find(name); other != out_.modules.end()) {
      return fail(Errc::integrity, "module " + name + " is in the image twice, as /" +
                                       other->second.path.string() + " and /" + foreign.path +
                                       ": leave one of them out");
    }
    if (index_.builtin.contains(name)) {
      return fail(Errc::integrity, what + "is built into kernel " + index_.release +
                                       ", which cannot load another one");
    }
    if (foreign.path.starts_with(kModules)) {
      if (!foreign.path.starts_with(root_)) {
        return fail(Errc::integrity, what + "lies where kernel " + index_.release +
                                         " does not look: its modules are below /" + root_);
      }
      TRY(check_suffix(what, suffix_of(foreign.path)));
    }
    return insert(name, path, foreign.content, foreign.digest, foreign.package, foreign.own_signer);
  }

  // A kernel unpacks the modules of its own package, and no others are known to suit it.
  [[nodiscard]] Status check_suffix(const std::string& what, const std::string& suffix) const {
    const bool known = suffix == ".ko" ||
                       std::any_of(index_.files.begin(), index_.files.end(), [&](const auto& file) {
                         return suffix_of(file.second.string()) == suffix;
                       });
    if (known) return {};
    return fail(Errc::integrity, what + "is compressed as none of the modules of kernel " +
                                     index_.release +
                                     " is, and may not load: bring it unpacked, as .ko");
  }

  [[nodiscard]] Status check_chosen() const {
    for (const auto& [name, package] : chosen_) {
      const auto found = out_.modules.find(name);
      if (found != out_.modules.end() && found->second.package == package &&
          found->second.path.string().starts_with(root_)) {
        continue;
      }
      return fail(Errc::not_found, "module " + name + " is not in " + called(package) +
                                       ": looked for it below /" + root_);
    }
    return {};
  }

  // One that is nowhere is told with the others that are.
  Status add_or_note(const Wanted& next) {
    auto added = add(next);
    if (added || added.error().code != Errc::not_found) return added;
    lacks_.add(std::move(added.error()));
    return {};
  }

  // A pinned module, or one that another needs.
  Status add(const Wanted& next) {
    if (index_.builtin.contains(next.name)) return {};
    const std::string what =
        "module " + next.name + (next.by.empty() ? "" : ", which " + next.by + " needs,");
    const auto found = index_.files.find(next.name);
    const auto there = out_.modules.find(next.name);
    if (there != out_.modules.end()) {
      const SelectedModule& module = there->second;
      const bool meant = module.package.empty() || chosen_.contains(next.name) || next.by_foreign;
      // Nobody's module takes the place of the kernel's own unless the manifest says so.
      if (meant || (!next.by.empty() && found == index_.files.end())) return {};
      return fail(Errc::integrity,
                  what +
                      (found == index_.files.end() ? " is not in the kernel's package, but in "
                                                   : " is in the image twice: in the kernel's "
                                                     "package, and in ") +
                      called(module.package) + " as /" + module.path.string() +
                      ": if that one is meant, pin it as {name: " + next.name +
                      ", package: " + module.package + "}");
    }
    if (found == index_.files.end()) {
      return fail(Errc::not_found, what + " is neither in kernel " + index_.release +
                                       "'s package nor built into that kernel" +
                                       (next.by.empty() ? closest_to(next.name) : ""));
    }
    const images::Content& content = tree_.find(found->second)->file()->content;
    return insert(next.name, found->second, content, Digest::of(*content), "");
  }

  const FileTree& tree_;
  const ModuleIndex& index_;
  const ForeignModules& foreign_;
  const std::string root_;
  std::map<std::string, std::string> chosen_;  // as ForeignModules', with underscores
  std::vector<Wanted> wanted_;
  Lacks lacks_;
  ModuleSelection out_;
};

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
                                       const std::vector<std::string>& pinned,
                                       const ForeignModules& foreign) {
  return Selector(tree, index, foreign).select(pinned);
}

}  // namespace weir::builder
