#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "apt_world.h"
#include "builder/lock/solver.h"
#include "packages_fixture.h"

namespace weir::builder {

inline const std::string kKernels =
    paragraph("linux-image-6.1.0-9-cloud-amd64", "6.1.20-1",
              {{"Depends", "kmod, linux-base (>= 4.3~), initramfs-tools | linux-initramfs-tool"}}) +
    paragraph("linux-image-6.1.0-10-cloud-amd64", "6.1.37-1",
              {{"Depends", "kmod, linux-base (>= 4.3~), initramfs-tools | linux-initramfs-tool"}}) +
    paragraph("linux-image-6.1.0-11-cloud-amd64-unsigned", "6.1.38-1") +
    paragraph("linux-image-6.1.0-11-cloud-amd64-dbg", "6.1.38-1") +
    paragraph("linux-image-6.12.1-cloud-amd64", "6.12.1-1") + paragraph("kmod", "30") +
    paragraph("linux-base", "4.9", {}, "all") +
    paragraph("initramfs-tools", "0.142", {{"Depends", "udev"}}, "all") + paragraph("udev", "252");

inline PackageIndex index(const std::string& text, const char* suite = "stable",
                          bool not_automatic = false) {
  auto out = PackageIndex::parse(text, suite, not_automatic);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  return std::move(*out);
}

inline Result<Resolution> resolve_one(const manifests::ImageManifest& manifest,
                                      const std::string& text) {
  std::vector<PackageIndex> indices;
  indices.push_back(index(text));
  return resolve(manifest, indices);
}

inline manifests::ImageManifest with_stand_ins(std::vector<std::string> packages) {
  auto out = manifest_of(std::move(packages));
  out.provides = {"linux-initramfs-tool", "linux-base", "kmod"};
  return out;
}

inline std::vector<std::string> names(const Resolution& resolution) {
  std::vector<std::string> out;
  for (const auto& package : resolution.packages) out.push_back(package.name);
  return out;
}

inline const manifests::LockedPackage& named(const Resolution& resolution, std::string_view name) {
  const auto found = std::find_if(resolution.packages.begin(), resolution.packages.end(),
                                  [&](const auto& package) { return package.name == name; });
  REQUIRE(found != resolution.packages.end());
  return *found;
}

// What apt would install of this index, where the stand-ins are what is installed.
inline std::set<std::string> by_apt(const std::string& text, const std::string& packages) {
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path + "/repo");
  REQUIRE(write_file(folder.path + "/repo/Packages", text).has_value());
  const test::AptWorld apt(folder.path, "deb [trusted=yes] file:" + folder.path + "/repo ./\n",
                           "linux-initramfs-tool, linux-base (= 4.9), kmod (= 30)");
  apt.update();
  return apt.closure(packages);
}

inline std::set<std::string> by_us(const std::string& text, const std::string& packages) {
  std::istringstream words(packages);
  std::vector<std::string> asked;
  for (std::string word; words >> word;) asked.push_back(word);
  const auto out = resolve_one(with_stand_ins(asked), kKernels + text);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  std::set<std::string> packages_of_image;
  for (const auto& package : out->packages) {
    if (package.name != out->kernel) packages_of_image.insert(package.name + " " + package.version);
  }
  return packages_of_image;
}

}  // namespace weir::builder
