#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/documents/image_manifest.h"

namespace weir::builder {

/// A paragraph of a Packages file: name, version, and further fields such as {"Depends", "b"}. Its
/// digest and size belong to the content "NAME VERSION".
inline std::string paragraph(
    const std::string& name, const std::string& version,
    std::initializer_list<std::pair<std::string_view, std::string_view>> more = {},
    const std::string& architecture = "amd64") {
  const std::string content = name + " " + version;
  std::string out = "Package: " + name + "\nVersion: " + version +
                    "\nArchitecture: " + architecture +
                    "\nMaintainer: Nobody <nobody@example.org>\nDescription: fixture\n";
  for (const auto& [field, value] : more) {
    out.append(field).append(": ").append(value).append("\n");
  }
  return out + "Filename: pool/main/" + name + "_" + version +
         ".deb\nSize: " + std::to_string(content.size()) +
         "\nSHA256: " + Digest::of(as_bytes(content)).hex() + "\n\n";
}

/// A manifest that asks for the kernel "linux-image-6.1.*-cloud-amd64" and `packages`.
inline manifests::ImageManifest manifest_of(std::vector<std::string> packages) {
  manifests::ImageManifest out{.name = *ReleaseName::parse("fixture")};
  out.architecture = "amd64";
  out.sources = {{"", {"stable"}, {"main"}, "/nonexistent"}};
  out.kernel.package = "linux-image-6.1.*-cloud-amd64";
  out.packages = std::move(packages);
  return out;
}

}  // namespace weir::builder
