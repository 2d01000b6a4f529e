// A release of more layers than old container engines load, as a container image.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {

TEST_CASE_FIXTURE(Fixture,
                  "a release of 140 layers is a container image of 100, and the same tree") {
  for (int i = 0; packages.size() < 138; ++i) {
    const std::string name = "part" + std::to_string(i), folder = "root-" + name;
    write(folder + "/usr/share/" + name, std::string(static_cast<std::size_t>(i % 7) * 100, 'x'));
    packages.push_back(package(name, "1", folder));
  }
  lock();
  (void)built();
  REQUIRE(release().at("layers").size() >= 140);
  const Outcome out = builder("export demo --format oci --out image --store store --key k.pub");
  REQUIRE_MESSAGE(out.status == 0, out.out);
  const auto seen = nlohmann::json::parse(run("skopeo inspect oci:image:demo"));
  // 120 loaded in Docker 20.10, 140 did not.
  CHECK(seen.at("Layers").size() == 100);
  // Docker's format makes skopeo unpack every layer and compare it with the configuration.
  run("skopeo copy -q oci:image:demo docker-archive:image.tar");
  std::string packed, segments;
  for (const auto& layer : seen.at("Layers")) {
    packed += "image/blobs/sha256/" + layer.get<std::string>().substr(7) + " ";
  }
  const nlohmann::json stated = release();
  for (const auto& layer : stated.at("layers")) segments += blob(layer.at("blob")) + " ";
  run("mkdir tar cpio && for l in " + packed +
      "; do tar -C tar --keep-directory-symlink -xpzf $l; " + "done; for l in " + segments +
      "; do zstdcat $l | (cd cpio && cpio -idum --quiet); done; " + "rm -f cpio/dev/console");
  const std::string list = " && find . -mindepth 1 -printf '%p %y %M %U %G %l\\n' | sort";
  CHECK(run("cd cpio" + list) == run("cd tar" + list));
  run("diff -r --no-dereference cpio tar");
}

}  // namespace weir::builder
