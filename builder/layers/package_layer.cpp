#include "builder/layers/package_layer.h"

#include <algorithm>

#include "builder/kernel/kernel_binding.h"
#include "builder/kernel/kernel_image.h"
#include "builder/kernel/module_selection.h"
#include "builder/kernel/netlink_family.h"
#include "images/formats/deb.h"
#include "images/formats/layer.h"
#include "images/tree/documentation.h"
#include "images/tree/merged_usr.h"
#include "manifests/documents/maintainer_script.h"

namespace weir::builder {
namespace {

using images::FileTree;
using images::ImagePath;
using images::Node;

constexpr std::string_view kStatus = "var/lib/dpkg/status.d/";

// One line's field of the package's own control file.
std::string_view control_field(std::string_view control, std::string_view name) {
  while (!control.empty()) {
    const auto end = std::min(control.find('\n'), control.size());
    std::string_view line = control.substr(0, end);
    control.remove_prefix(std::min(end + 1, control.size()));
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    line.remove_prefix(name.size() + 1);
    const auto first = line.find_first_not_of(" \t"), last = line.find_last_not_of(" \t\r");
    return first == std::string_view::npos ? "" : line.substr(first, last - first + 1);
  }
  return {};
}

Status check_control(const manifests::LockedPackage& package, const std::string& control) {
  const std::pair<const char*, std::string_view> fields[] = {
      {"Package", package.name},
      {"Version", package.version},
      {"Architecture", package.architecture}};
  for (const auto& [name, locked] : fields) {
    const std::string_view found = control_field(control, name);
    if (found == locked) continue;
    return fail(Errc::integrity, std::string(name) + " is '" + std::string(found) +
                                     "' in the package and '" + std::string(locked) +
                                     "' in the lock");
  }
  return {};
}

template <class Use>
void each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Status put_text(FileTree& tree, const std::string& path, std::string_view text, std::int64_t time) {
  TRY_ASSIGN(const ImagePath place, ImagePath::parse(path));
  return tree.put(place, Node{0644, 0, 0, time, images::File{images::content_of(text)}});
}

// As dpkg's database would have it, one file a package: what scanners look for in images without
// dpkg.
Status put_status(const images::Deb& deb, const std::string& name, std::int64_t time,
                  FileTree& tree) {
  std::string control = deb.control.at("control");
  while (control.ends_with('\n')) control.pop_back();
  const auto first = std::min(control.find('\n'), control.size());
  control.insert(first, "\nStatus: install ok installed");
  TRY(put_text(tree, std::string(kStatus) + name, control + "\n", time));
  const auto sums = deb.control.find("md5sums");
  if (sums == deb.control.end()) return {};
  std::string kept;
  each_line(sums->second, [&](std::string_view line) {
    const auto path = ImagePath::parse(line.substr(std::min<std::size_t>(34, line.size())));
    if (!path) return;
    const auto place = images::merged(*path);
    if (place && tree.find(*place) != nullptr) {
      kept += std::string(line.substr(0, 34)) + place->string() + "\n";
    }
  });
  return put_text(tree, std::string(kStatus) + name + ".md5sums", kept, time);
}

bool is_boot_image(const ImagePath& path) {
  return path.string().starts_with("boot/vmlinuz-");
}

// What of a kernel's package is read at all.
bool kernel_keeps(const ImagePath& path) {
  return path.is_within("lib/modules") || path.is_within("usr/lib/modules") ||
         is_boot_image(path) || path.is_within("usr/share/doc");
}

// Returns the key that all modules are signed with.
Result<std::string> check_modules(const KernelImage& kernel, const ModuleSelection& selection) {
  TRY_ASSIGN(const KernelBinding binding, read_kernel_binding(kernel));
  std::vector<ImageModule> modules;
  for (const auto& [_, selected] : selection.modules) {
    TRY(check_wireguard_family(selected.module, *selected.unpacked));
    modules.push_back({selected.path.string(), selected.module, selected.unpacked});
  }
  return check_binding(kernel, binding, modules);
}

// Before anything is looked for that a module of another kernel says it needs.
Status check_foreign(const KernelImage& kernel, const ForeignModules& foreign) {
  for (const ForeignModule& module : foreign.modules) {
    const std::string place = "/" + module.path;
    TRY_ASSIGN_IN(images::Content unpacked, unpack_kernel_module(module.content), place);
    TRY_ASSIGN_IN(KernelModule facts, parse_kernel_module(*unpacked), place);
    TRY(check_vermagic(kernel, {{module.path, std::move(facts), std::move(unpacked)}}));
  }
  return {};
}

// The kernel's boot image leaves the tree, and of the modules only those selected stay.
Result<KernelFacts> take_kernel(const manifests::LockedPackage& package,
                                const LayerOptions& options, FileTree& tree,
                                std::vector<std::uint8_t>& kernel_image) {
  const Node* boot = nullptr;
  std::int64_t newest = 0;
  for (const auto& [path, node] : tree.nodes()) {
    newest = std::max(newest, node.mtime);
    if (!is_boot_image(path) || node.file() == nullptr) continue;
    if (boot != nullptr) return fail(Errc::invalid_input, "two boot images");
    boot = &node;
  }
  if (boot == nullptr) return fail(Errc::invalid_input, "no /boot/vmlinuz-* in it");
  kernel_image = *boot->file()->content;
  TRY_ASSIGN(const KernelImage kernel, parse_kernel_image(kernel_image));
  TRY_ASSIGN(const ModuleIndex index, index_modules(tree));
  if (kernel.release != index.release) {
    return fail(Errc::integrity,
                "the kernel is " + kernel.release + " but its modules are of " + index.release);
  }
  TRY(check_foreign(kernel, options.foreign));
  TRY_ASSIGN(const ModuleSelection selection,
             select_modules(tree, index, options.modules, options.foreign));
  TRY_ASSIGN(const std::string key, check_modules(kernel, selection));

  const std::string root = "usr/lib/modules/" + index.release;
  std::set<std::string> kept = {root + "/modules.builtin", root + "/modules.builtin.modinfo"};
  for (const auto& [_, selected] : selection.modules) {
    if (selected.package.empty()) kept.insert(selected.path.string());
  }
  tree.drop_if([&](const ImagePath& path, const Node&) {
    return is_boot_image(path) || path.string() == "boot" ||
           (path.is_within("usr/lib/modules") && !kept.contains(path.string()));
  });
  TRY(put_text(tree, root + "/modules.dep", selection.dependencies, newest));

  const manifests::Blob image{Digest::of(kernel_image), ByteCount{kernel_image.size()}};
  KernelFacts out{
      {package.name, package.version, kernel.release, kernel.build_id, image}, {}, selection.load};
  const std::set<std::string> pinned(selection.load.begin(), selection.load.end());
  for (const auto& [name, selected] : selection.modules) {
    const KernelModule& module = selected.module;
    out.modules.push_back({name, selected.package.empty() ? package.name : selected.package,
                           module.version, module.srcversion, module.vermagic, module.build_id,
                           selected.digest, key, pinned.contains(name)});
  }
  return out;
}

void add_conffiles(const images::Deb& deb, LayerFacts& facts) {
  const auto list = deb.control.find("conffiles");
  if (list == deb.control.end()) return;
  each_line(list->second, [&](std::string_view line) {
    // "remove-on-upgrade /path" names a file that the package no longer has.
    if (const auto path = ImagePath::parse(line); path && line.starts_with('/')) {
      if (const auto place = images::merged(*path)) facts.conffiles.insert(place->string());
    }
  });
}

Result<BuiltLayer> build(const manifests::LockedPackage& package, Bytes bytes,
                         const LayerOptions& options) {
  TRY_ASSIGN(const images::Deb deb, images::read_deb(bytes, {}, [&](const ImagePath& path) {
               return !options.kernel || kernel_keeps(path);
             }));
  TRY(check_control(package, deb.control.at("control")));
  TRY_ASSIGN(FileTree tree, images::merge_usr(deb.files));
  if (!options.documentation) {
    tree.drop_if([](const ImagePath& path, const Node&) { return images::is_documentation(path); });
  }
  TRY(check_wireguard_tool(tree));
  std::optional<KernelFacts> kernel;
  std::vector<std::uint8_t> kernel_image;
  if (options.kernel) {
    TRY_ASSIGN(kernel, take_kernel(package, options, tree, kernel_image));
  }
  std::int64_t newest = 0;
  for (const auto& [_, node] : tree.nodes()) newest = std::max(newest, node.mtime);
  TRY(put_status(deb, package.name, newest, tree));

  TRY_ASSIGN(BuiltLayer out, make_tree_layer(package.name, tree, options.epoch, options.scanner,
                                             options.accept_secrets));
  if (kernel) out.facts.modules.clear();
  out.facts.kernel = std::move(kernel);
  out.facts.declared = declarations_of(tree, package.name);
  out.kernel_image = std::move(kernel_image);
  add_conffiles(deb, out.facts);
  for (const char* script : {"preinst", "postinst"}) {
    const auto found = deb.control.find(script);
    if (found == deb.control.end()) continue;
    out.facts.scripts.emplace(
        script, manifests::script_digest(found->second, {package.name, package.version}));
  }
  return out;
}

Result<manifests::ReleaseScan> scan_for(const FileTree& tree, const SecretScanner* scanner,
                                        const AcceptedSecrets& accepted) {
  if (scanner != nullptr) return scan_tree(tree, *scanner, accepted);
  TRY_ASSIGN(const SecretScanner rules, SecretScanner::create({}));
  return scan_tree(tree, rules, accepted);
}

}  // namespace

Result<BuiltLayer> make_tree_layer(std::string name, const FileTree& tree, std::int64_t epoch,
                                   const std::shared_ptr<const SecretScanner>& scanner,
                                   const AcceptedSecrets& accept_secrets) {
  TRY_ASSIGN(manifests::ReleaseScan scan, scan_for(tree, scanner.get(), accept_secrets));
  TRY_ASSIGN(images::Layer layer, images::encode_layer(tree, epoch));
  LayerFacts facts{{std::move(name), layer.blob, layer.content_digest, layer.content_size},
                   0,
                   list_entries(tree),
                   {},
                   {},
                   {},
                   {}};
  for (const auto& [_, node] : tree.nodes()) facts.newest = std::max(facts.newest, node.mtime);
  TRY_ASSIGN(facts.programs, list_programs(tree));
  facts.scan = std::move(scan);
  facts.modules = list_modules(tree);
  return BuiltLayer{std::move(facts), std::move(layer.bytes), {}};
}

Result<BuiltLayer> make_package_layer(const manifests::LockedPackage& package, Bytes deb,
                                      const LayerOptions& options) {
  TRY_ASSIGN_IN(BuiltLayer out, build(package, deb, options),
                "package " + package.name + " " + package.version);
  return out;
}

Digest layer_key(const manifests::LockedPackage& package, const LayerOptions& options,
                 std::string_view program) {
  std::string text = "weir layer\n" + std::string(program) + "\n" + images::layer_encoder() + "\n" +
                     package.name + "\n" + package.version + "\n" + package.architecture + "\n" +
                     package.digest.string() + "\n" +
                     (options.documentation ? "documentation\n" : "lean\n");
  // A layer that is there counts as scanned for the same keys; the rules are the program's.
  if (options.scanner && options.scanner->has_keys())
    text += options.scanner->identity().string() + "\n";
  if (options.kernel) {
    text += "kernel\n";
    for (const std::string& module : options.modules) text += module + "\n";
    for (const auto& [name, from] : options.foreign.chosen) text += name + " of " + from + "\n";
    for (const ForeignModule& module : options.foreign.modules) {
      text += module.path + " of " + module.package + " " + module.digest.string() + "\n";
    }
  }
  return Digest::of(as_bytes(text));
}

Digest tree_layer_key(const std::string& name, const Digest& content, std::string_view program) {
  return Digest::of(as_bytes("weir tree layer\n" + std::string(program) + "\n" +
                             images::layer_encoder() + "\n" + name + "\n" + content.string() +
                             "\n"));
}

}  // namespace weir::builder
