#include "builder/layers/kernel_layers.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "builder/kernel/kernel_binding.h"
#include "builder/kernel/kernel_image.h"
#include "builder/kernel/module_selection.h"
#include "builder/kernel/netlink_family.h"

namespace weir::builder {
namespace {

using images::FileTree;
using images::ImagePath;
using images::Node;

// Returns the key that all modules are signed with.
Result<std::string> check_modules(const KernelImage& kernel, const ModuleSelection& selection) {
  TRY_ASSIGN(const KernelBinding binding, read_kernel_binding(kernel));
  std::vector<ImageModule> modules;
  for (const auto& [_, selected] : selection.modules) {
    TRY(check_wireguard_family(selected.module, *selected.unpacked));
    modules.push_back(
        {selected.path.string(), selected.module, selected.unpacked, selected.own_signer});
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

std::string others_of(const std::vector<OpenedPackage>& packages) {
  std::string out;
  for (std::size_t i = 1; i < packages.size(); ++i) {
    out += (i == 1 ? ", nor in " : ", ") + packages[i].package.name;
  }
  return out;
}

// What all of them hold of the kernel, as one tree.
Result<FileTree> joined(const std::vector<OpenedPackage>& packages) {
  FileTree out;
  for (const OpenedPackage& one : packages) {
    for (const auto& [path, node] : one.tree.nodes()) {
      if (node.is_folder() || !(path.is_within("usr/lib/modules") || is_boot_image(path))) continue;
      TRY_IN(out.put(path, node), one.package.name);
    }
  }
  return out;
}

Result<images::Content> boot_image_of(const FileTree& all,
                                      const std::vector<OpenedPackage>& packages) {
  images::Content out;
  std::string first;
  for (const auto& [path, node] : all.nodes()) {
    if (!is_boot_image(path) || node.file() == nullptr) continue;
    // One kernel may lie at both places.
    if (out != nullptr && *out != *node.file()->content) {
      return fail(Errc::invalid_input, "two boot images, /" + first + " and /" + path.string());
    }
    if (out == nullptr) first = path.string();
    out = node.file()->content;
  }
  if (out != nullptr) return out;
  return fail(Errc::invalid_input,
              "no kernel (/boot/vmlinuz-RELEASE or "
              "/usr/lib/modules/RELEASE/vmlinuz) in it" +
                  others_of(packages));
}

class Kernel {
 public:
  Kernel(std::vector<OpenedPackage> packages, const LayerOptions& options)
      : packages_(std::move(packages)), options_(options) {}

  // Afterwards the packages hold what stays in the image.
  Result<KernelFacts> take() {
    TRY_ASSIGN(const FileTree all, joined(packages_));
    TRY_ASSIGN(const images::Content boot, boot_image_of(all, packages_));
    image_ = *boot;
    TRY_ASSIGN(const KernelImage kernel, parse_kernel_image(image_));
    TRY_ASSIGN(const ModuleIndex index, index_modules(all));
    if (kernel.release != index.release) {
      return fail(Errc::integrity,
                  "the kernel is " + kernel.release + " but its modules are of " + index.release);
    }
    TRY(check_foreign(kernel, options_.foreign));
    TRY_ASSIGN(const ModuleSelection selection,
               select_modules(all, index, options_.modules, options_.foreign));
    TRY_ASSIGN(const std::string key, check_modules(kernel, selection));
    TRY(keep(selection, index));
    return facts(kernel, selection, key);
  }

  Result<std::vector<BuiltLayer>> layers(KernelFacts facts) {
    std::vector<BuiltLayer> out;
    for (OpenedPackage& package : packages_) {
      LayerOptions options = options_;
      options.kernel = out.empty() ? KernelRole::named : KernelRole::part;
      TRY_ASSIGN(BuiltLayer layer, make_opened_layer(std::move(package), options));
      out.push_back(std::move(layer));
    }
    out.front().facts.kernel = std::move(facts);
    out.front().kernel_image = std::move(image_);
    return out;
  }

 private:
  // The kernel leaves the trees, and of the modules only those selected stay.
  Status keep(const ModuleSelection& selection, const ModuleIndex& index) {
    const std::string root = "usr/lib/modules/" + index.release;
    std::set<std::string> kept = {root + "/modules.builtin", root + "/modules.builtin.modinfo"};
    for (const auto& [_, selected] : selection.modules) {
      if (selected.package.empty()) kept.insert(selected.path.string());
    }
    std::int64_t newest = 0;
    for (OpenedPackage& one : packages_) {
      for (const auto& [_, node] : one.tree.nodes()) newest = std::max(newest, node.mtime);
      one.tree.drop_if([&](const ImagePath& path, const Node&) {
        return is_boot_image(path) || path.string() == "boot" ||
               (path.is_within("usr/lib/modules") && !kept.contains(path.string()));
      });
    }
    TRY_ASSIGN(const ImagePath place, ImagePath::parse(root + "/modules.dep"));
    return packages_.front().tree.put(
        place, Node{0644, 0, 0, newest, images::File{images::content_of(selection.dependencies)}});
  }

  [[nodiscard]] std::string package_of(const SelectedModule& module) const {
    if (!module.package.empty()) return module.package;
    for (const OpenedPackage& one : packages_) {
      if (one.tree.find(module.path) != nullptr) return one.package.name;
    }
    return packages_.front().package.name;
  }

  // Of one whose signature was checked.
  static std::string own_key_of(const SelectedModule& module) {
    const auto signature = read_module_signature(*module.unpacked);
    return signature && *signature ? (*signature)->key : std::string();
  }

  [[nodiscard]] KernelFacts facts(const KernelImage& kernel, const ModuleSelection& selection,
                                  const std::string& key) const {
    const manifests::LockedPackage& named = packages_.front().package;
    const manifests::Blob image{Digest::of(image_), ByteCount{image_.size()}};
    KernelFacts out{
        {named.name, named.version, kernel.release, kernel.build_id, image}, {}, selection.load};
    const std::set<std::string> pinned(selection.load.begin(), selection.load.end());
    for (const auto& [name, selected] : selection.modules) {
      const KernelModule& module = selected.module;
      out.modules.push_back({name, package_of(selected), module.version, module.srcversion,
                             module.vermagic, module.build_id, selected.digest,
                             selected.own_signer ? own_key_of(selected) : key,
                             pinned.contains(name)});
    }
    return out;
  }

  std::vector<OpenedPackage> packages_;
  const LayerOptions& options_;
  std::vector<std::uint8_t> image_;
};

}  // namespace

Result<std::vector<BuiltLayer>> make_kernel_layers(std::vector<OpenedPackage> packages,
                                                   const LayerOptions& options) {
  const std::string what =
      "package " + packages.front().package.name + " " + packages.front().package.version;
  Kernel kernel(std::move(packages), options);
  TRY_ASSIGN_IN(KernelFacts facts, kernel.take(), what);
  return kernel.layers(std::move(facts));
}

}  // namespace weir::builder
