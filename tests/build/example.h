#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::test {

using nlohmann::json;

inline const std::string kBuilder = test::build_folder() + "/bin/weir-builder ";
/// Packages come from a cache that stays.
inline const std::string kCache = " --cache " + test::build_folder() + "/test-cache ";

/// What examples of one name share within a process.
struct KnownExample {
  std::string mirrors;  ///< options: where the suites are that the machine's apt has no source for
  std::string lock;     ///< the document
  /// A store's folder with the kernel and layers of the first build and no release: others begin
  /// with it.
  std::unique_ptr<test::TemporaryFolder> layers;

  static KnownExample& of(const std::string& name) {
    static std::map<std::string, KnownExample> known;
    const auto [at, is_new] = known.try_emplace(name);
    if (is_new) {
      at->second.mirrors = " " + must(test::source_folder() + "/tests/lab/mirrors.sh " +
                                      test::source_folder() + "/examples/" + name + ".yaml");
    }
    return at->second;
  }
};

/// One example, locked and built in a folder of its own. Packages come from a cache that stays. Of
/// the layers the first build of a process makes all; who wants them made anew removes the cache's
/// folder "layers".
struct Example {
  test::TemporaryFolder folder;
  std::string name;

  explicit Example(std::string example) : name(std::move(example)) {
    run("cp " + test::source_folder() + "/examples/" + name + ".yaml image.yaml");
    run("minisign -G -W -p k.pub -s k.key > /dev/null");
    KnownExample& known = KnownExample::of(name);
    const std::string file = folder.path + "/image.lock.json";
    if (known.lock.empty()) {
      lock();
      known.lock = bytes_of(file);
    } else {
      std::ofstream(file) << known.lock;
    }
  }

  std::string run(const std::string& command) const {
    return must("cd " + folder.path + " && export LC_ALL=C && " + command);
  }
  [[nodiscard]] std::string path(const std::string& inside) const {
    return (std::filesystem::path(folder.path) / inside).string();
  }
  void lock() const { run(kBuilder + "lock image.yaml" + kCache + KnownExample::of(name).mirrors); }
  [[nodiscard]] json build(const std::string& before = "true",
                           const std::string& store = "store") const {
    KnownExample& known = KnownExample::of(name);
    if (known.layers && !std::filesystem::exists(path(store))) {
      run("mkdir -p " + store + " && cp -r " + known.layers->path + "/. " + store);
    }
    const std::string out = run(before + "; " + kBuilder + "build image.yaml --key k.key --store " +
                                store + kCache + "--json" + known.mirrors + " 2> errors");
    if (!known.layers) {
      known.layers = std::make_unique<test::TemporaryFolder>();
      const json made = release(store);
      std::string blobs = blob(made.at("kernel").at("image"), store);
      for (const json& layer : made.at("layers")) blobs += " " + blob(layer.at("blob"), store);
      const std::string& to = known.layers->path;
      run("mkdir -p " + to + "/blobs/sha256 && cp " + store + "/oci-layout " + to + " && cp " +
          blobs + " " + to + "/blobs/sha256");
    }
    return json::parse(out);
  }
  [[nodiscard]] json release(const std::string& store = "store") const {
    return json::parse(bytes_of(path(store) + "/releases/" + name + "/release.json"));
  }
  [[nodiscard]] std::string blob(const json& stated, const std::string& store = "store") const {
    return path(store) + "/blobs/sha256/" + stated.at("digest").get<std::string>().substr(7);
  }
  // As the kernel does it: all segments, one after another.
  void unpack() const {
    const json document = release();
    std::string segments;
    for (const json& layer : document.at("layers")) segments += blob(layer.at("blob")) + " ";
    run("rm -rf root && mkdir root && cd root && for layer in " + segments +
        "; do zstd -qt < $layer && zstdcat $layer | cpio -idu --quiet; done");
  }
  // The kernel's packages as the mirror has them, by dpkg, on a merged /usr. Those of one that was
  // split are named after its release.
  [[nodiscard]] std::string unpack_kernel() const {
    const json document = json::parse(bytes_of(folder.path + "/image.lock.json"));
    const json packages = document.at("packages");
    const std::string release =
        document.at("kernel").get<std::string>().substr(std::string("linux-image").size());
    run("rm -rf kernel && mkdir -p kernel/usr/lib && ln -s usr/lib kernel/lib");
    for (const json& package : packages) {
      if (!package.at("name").get<std::string>().ends_with(release)) continue;
      // tar, as dpkg, keeps a link to a folder.
      run("dpkg-deb --fsys-tarfile " + test::build_folder() + "/test-cache/blobs/sha256/" +
          package.at("digest").get<std::string>().substr(7) +
          " | tar -x --keep-directory-symlink -C kernel");
    }
    return folder.path + "/kernel";
  }
};

}  // namespace weir::test
