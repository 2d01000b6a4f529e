#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::test {

using nlohmann::json;

inline const std::string kBuilder = test::build_folder() + "/bin/weir-builder ";
/// Packages come from a cache that stays.
inline const std::string kCache = " --cache " + test::build_folder() + "/test-cache ";

/// Suites of image.yaml that the machine's apt has no source for are where its own are.
inline std::string mirrors() {
  return " $(" + test::source_folder() + "/tests/lab/mirrors.sh image.yaml)";
}

/// One example, locked and built in a folder of its own. Packages come from a cache that stays.
struct Example {
  test::TemporaryFolder folder;
  std::string name;

  explicit Example(std::string example) : name(std::move(example)) {
    run("cp " + test::source_folder() + "/examples/" + name + ".yaml image.yaml");
    run("minisign -G -W -p k.pub -s k.key > /dev/null");
    lock();
  }

  std::string run(const std::string& command) const {
    return must("cd " + folder.path + " && export LC_ALL=C && " + command);
  }
  void lock() const {
    run(test::build_folder() + "/bin/weir-builder lock image.yaml --cache " + test::build_folder() +
        "/test-cache" + mirrors());
  }
  [[nodiscard]] json build(const std::string& before = "true",
                           const std::string& store = "store") const {
    const std::string out =
        run(before + "; " + test::build_folder() +
            "/bin/weir-builder build image.yaml --key k.key --store " + store + " --cache " +
            test::build_folder() + "/test-cache --json" + mirrors() + " 2> errors");
    return json::parse(out);
  }
  [[nodiscard]] json release(const std::string& store = "store") const {
    return json::parse(bytes_of(folder.path + "/" + store + "/releases/" + name + "/release.json"));
  }
  [[nodiscard]] std::string blob(const json& stated) const {
    return folder.path + "/store/blobs/sha256/" + stated.at("digest").get<std::string>().substr(7);
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
