#include "builder/layers/package_layer.h"

#include <algorithm>

#include "builder/kernel/netlink_family.h"
#include "builder/packages/script_actions.h"
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
Status put_status(const OpenedPackage& package, std::int64_t time, FileTree& tree) {
  const std::string& name = package.package.name;
  std::string control = package.control.at("control");
  while (control.ends_with('\n')) control.pop_back();
  const auto first = std::min(control.find('\n'), control.size());
  control.insert(first, "\nStatus: install ok installed");
  TRY(put_text(tree, std::string(kStatus) + name, control + "\n", time));
  const auto sums = package.control.find("md5sums");
  if (sums == package.control.end()) return {};
  std::string kept;
  each_line(sums->second, [&](std::string_view line) {
    const auto path = ImagePath::parse(line.substr(std::min<std::size_t>(34, line.size())));
    if (!path) return;
    const auto place = images::merged(*path);
    if (place && tree.find(*place) != nullptr) {
      kept += std::string(line.substr(0, 34)) + place->string() + "\n";
    }
  });
  // Nothing of a kernel's half stays, and md5sum calls an empty list malformed.
  if (kept.empty()) return {};
  return put_text(tree, std::string(kStatus) + name + ".md5sums", kept, time);
}

// What of a kernel's packages is read at all: of the one that the lock names, what a kernel is made
// of; of the others, all but what is for people and for boot loaders.
bool is_read(const ImagePath& path, KernelRole kernel) {
  if (kernel == KernelRole::none || is_boot_image(path)) return true;
  if (kernel == KernelRole::part) {
    return !path.is_within("boot") && !path.is_within("usr/share/bug") &&
           !path.is_within("usr/share/lintian");
  }
  return path.is_within("lib/modules") || path.is_within("usr/lib/modules") ||
         path.is_within("usr/share/doc");
}

void add_conffiles(const OpenedPackage& package, LayerFacts& facts) {
  const auto list = package.control.find("conffiles");
  if (list == package.control.end()) return;
  each_line(list->second, [&](std::string_view line) {
    // "remove-on-upgrade /path" names a file that the package no longer has.
    if (const auto path = ImagePath::parse(line); path && line.starts_with('/')) {
      if (const auto place = images::merged(*path)) facts.conffiles.insert(place->string());
    }
  });
}

Result<ScannedTree> scanned(const FileTree& tree, const SecretScanner* scanner,
                            const AcceptedSecrets& accepted) {
  if (scanner != nullptr) return find_secrets(tree, *scanner, accepted);
  TRY_ASSIGN(const SecretScanner rules, SecretScanner::create({}));
  return find_secrets(tree, rules, accepted);
}

// What the image's cpio does not hold, and what a node's own /dev hides.
std::vector<std::string> left_behind(const OpenedPackage& package) {
  std::vector<std::string> out;
  for (const std::string& attribute : package.attributes) {
    out.push_back(attribute + ", an attribute that images do not hold");
  }
  for (const auto& [path, node] : package.tree.nodes()) {
    if (node.device() == nullptr || !path.is_within("dev")) continue;
    out.push_back("/" + path.string() + ", a device node: the kernel fills /dev itself");
  }
  return out;
}

Result<BuiltLayer> build(OpenedPackage& package, const LayerOptions& options) {
  FileTree& tree = package.tree;
  std::int64_t newest = 0;
  for (const auto& [_, node] : tree.nodes()) newest = std::max(newest, node.mtime);
  TRY(put_status(package, newest, tree));
  TRY_ASSIGN(BuiltLayer out, make_tree_layer(package.package.name, tree, options.epoch,
                                             options.scanner, options.accept_secrets));
  // The kernel's own modules are listed with the kernel.
  if (options.kernel != KernelRole::none) out.facts.modules.clear();
  out.facts.without = left_behind(package);
  out.facts.declared = declarations_of(tree, package.package.name);
  add_conffiles(package, out.facts);
  for (const char* script : {"preinst", "postinst"}) {
    const auto found = package.control.find(script);
    if (found == package.control.end()) continue;
    out.facts.scripts.emplace(
        script,
        manifests::script_digest(found->second, {package.package.name, package.package.version}));
  }
  if (const auto script = package.control.find("postinst");
      script != package.control.end() &&
      script->second.find("update-alternatives") != std::string::npos) {
    out.facts.alternatives = actions_of(script->second).alternatives;
  }
  return out;
}

}  // namespace

bool is_boot_image(const ImagePath& path) {
  const std::string& place = path.string();
  if (place.starts_with("boot/vmlinuz-")) return true;
  return place.ends_with("/vmlinuz") && path.parent().parent().string() == "usr/lib/modules";
}

Result<BuiltLayer> make_tree_layer(std::string name, const FileTree& tree, std::int64_t epoch,
                                   const std::shared_ptr<const SecretScanner>& scanner,
                                   const AcceptedSecrets& accept_secrets) {
  TRY_ASSIGN(ScannedTree found, scanned(tree, scanner.get(), accept_secrets));
  images::Layer layer{{}, {Digest::of({}), {}}, Digest::of({}), {}};
  if (found.found.empty()) {
    TRY_ASSIGN(layer, images::encode_layer(tree, epoch));
  }
  LayerFacts facts{{std::move(name), layer.blob, layer.content_digest, layer.content_size},
                   0,
                   list_entries(tree),
                   {},
                   {},
                   {},
                   {}};
  for (const auto& [_, node] : tree.nodes()) facts.newest = std::max(facts.newest, node.mtime);
  TRY_ASSIGN(facts.programs, list_programs(tree));
  facts.scan = std::move(found.scan);
  facts.modules = list_modules(tree);
  facts.interpreters = list_interpreters(tree);
  facts.followed = list_followed(tree);
  return BuiltLayer{std::move(facts), std::move(layer.bytes), {}, std::move(found.found)};
}

Result<OpenedPackage> open_package(const manifests::LockedPackage& package, Bytes bytes,
                                   const LayerOptions& options) {
  const std::string what = "package " + package.name + " " + package.version;
  TRY_ASSIGN_IN(
      images::Deb deb,
      images::read_deb(bytes, {},
                       [&](const ImagePath& path) { return is_read(path, options.kernel); }),
      what);
  TRY_IN(check_control(package, deb.control.at("control")), what);
  TRY_ASSIGN_IN(FileTree tree, images::merge_usr(deb.files), what);
  if (!options.documentation) {
    tree.drop_if([](const ImagePath& path, const Node&) { return images::is_documentation(path); });
  }
  TRY_IN(check_wireguard_tool(tree), what);
  return OpenedPackage{package, std::move(tree), std::move(deb.control), std::move(deb.attributes)};
}

Result<BuiltLayer> make_opened_layer(OpenedPackage package, const LayerOptions& options) {
  const std::string& name = package.package.name;
  TRY_ASSIGN_IN(BuiltLayer out, build(package, options),
                "package " + name + " " + package.package.version);
  return out;
}

Result<BuiltLayer> make_package_layer(const manifests::LockedPackage& package, Bytes deb,
                                      const LayerOptions& options) {
  TRY_ASSIGN(OpenedPackage opened, open_package(package, deb, options));
  return make_opened_layer(std::move(opened), options);
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
  if (options.kernel != KernelRole::none) {
    text += options.kernel == KernelRole::named ? "kernel\n" : "part of a kernel\n";
    for (const Digest& one : options.kernel_packages) text += one.string() + "\n";
    for (const std::string& module : options.modules) text += module + "\n";
    for (const auto& [name, from] : options.foreign.chosen) text += name + " of " + from + "\n";
    for (const ForeignModule& module : options.foreign.modules) {
      text += module.path + " of " + module.package + " " + module.digest.string() + "\n";
      if (module.own_signer) {
        text += "signed by " + Digest::of(as_bytes(*module.own_signer)).string() + "\n";
      }
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
