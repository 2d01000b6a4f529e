#include "builder/packages/package_declarations.h"

#include <optional>
#include <string_view>

#include "builder/packages/control_file.h"
#include "builder/packages/copyright_file.h"

namespace weir::builder {
namespace {

using images::ImagePath;

constexpr std::string_view kStatus = "var/lib/dpkg/status.d/";
constexpr std::string_view kDocumentation = "usr/share/doc/";
constexpr int kLinks = 4;  // from one package's documentation to another's

const images::Node* find(const images::FileTree& tree, const std::string& path) {
  const auto place = ImagePath::parse(path);
  return place ? tree.find(*place) : nullptr;
}

std::optional<std::string_view> text_at(const images::FileTree& tree, const std::string& path) {
  const images::Node* node = find(tree, path);
  if (node == nullptr || node->file() == nullptr) return std::nullopt;
  const auto& bytes = *node->file()->content;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// "gcc-12-base" of a link usr/share/doc/libgcc-s1 -> gcc-12-base, "x" of
// usr/share/doc/y/copyright -> ../x/copyright.
std::string linked_package(const images::FileTree& tree, const std::string& package) {
  const std::string folder = std::string(kDocumentation) + package;
  std::string target;
  if (const images::Node* node = find(tree, folder);
      node != nullptr && node->symlink() != nullptr) {
    target = node->symlink()->target;
  } else if (node = find(tree, folder + "/copyright");
             node != nullptr && node->symlink() != nullptr) {
    target = node->symlink()->target;
    if (!target.ends_with("/copyright")) return {};
    target.resize(target.size() - std::string_view("/copyright").size());
    if (target.starts_with("../")) target.erase(0, 3);
  }
  const std::string absolute = "/" + std::string(kDocumentation);
  if (target.starts_with(absolute)) target.erase(0, absolute.size());
  return target.find('/') == std::string::npos && target != "." && target != ".." ? target : "";
}

}  // namespace

PackageDeclarations declarations_of(const images::FileTree& layer, const std::string& package) {
  PackageDeclarations out;
  if (const auto control = text_at(layer, std::string(kStatus) + package)) {
    if (const auto stanza = StanzaReader(*control).next(); stanza && *stanza) {
      for (const char* field : {"Pre-Depends", "Depends"}) {
        const auto value = (*stanza)->find(field);
        if (!value || value->empty()) continue;
        out.depends += (out.depends.empty() ? "" : ", ") + std::string(*value);
      }
      out.provides = (*stanza)->find("Provides").value_or("");
    }
  }
  const std::string own = std::string(kDocumentation) + package + "/copyright";
  if (const auto copyright = text_at(layer, own)) {
    out.licenses = declared_licenses(*copyright);
  } else {
    out.licenses_of = linked_package(layer, package);
  }
  return out;
}

std::string licenses_of(const Declarations& all, const std::string& package) {
  auto found = all.find(package);
  for (int i = 0; i < kLinks && found != all.end(); ++i) {
    if (found->second.licenses_of.empty()) return found->second.licenses;
    found = all.find(found->second.licenses_of);
  }
  return {};
}

}  // namespace weir::builder
