#include "builder/layers/edge/node_programs.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/text.h"
#include "tests/unit/builder/mirror/package_workshop.h"

namespace weir::builder {
namespace {

using test::has;
using test::Workshop;

const manifests::Architecture kForAmd64 = *manifests::parse_architecture("amd64");
const manifests::Architecture kForArm64 = *manifests::parse_architecture("arm64");

std::string lock_refusal(const Workshop& workshop, const manifests::Architecture& architecture) {
  const auto cache = Cache::open_or_create(workshop.path() + "/cache");
  REQUIRE(cache.has_value());
  const auto locked = lock_programs(workshop.path(), architecture, *cache);
  return locked ? "" : locked.error().message;
}

}  // namespace

TEST_CASE("node programs of another architecture than the image's are refused") {
  const Workshop workshop;
  workshop.run(
      "echo 'void _start(void){}' > p.c && aarch64-linux-gnu-gcc -nostdlib -static p.c -o "
      "weir-init && cp weir-init weir-node");
  CHECK(lock_refusal(workshop, kForArm64).empty());
  // 183 and 62: `readelf -h`, elf.h.
  const std::string said = lock_refusal(workshop, kForAmd64);
  CHECK(has(said, "/weir-init: is for another architecture (ELF machine 183)"));
  CHECK(has(said, "and the image is for amd64 (62)"));
}

TEST_CASE("where the node programs of another architecture are missing, it says how to get them") {
  const Workshop workshop;
  manifests::ImageManifest manifest{.name = *ReleaseName::parse("a")};
  manifest.architecture = "arm64";
  const auto folder = node_program_folder(manifest, "x/a.yaml");
  REQUIRE(folder.has_value());
  CHECK(folder->ends_with("/bin/arm64"));
  manifest.architecture = "amd64";
  CHECK(*node_program_folder(manifest, "x/a.yaml") + "/arm64" == *folder);
  manifest.architecture = "arm64";
  manifest.node_programs = "programs";
  CHECK(node_program_folder(manifest, "x/a.yaml") == "x/programs");
  CHECK(has(lock_refusal(workshop, kForArm64),
            "/weir-init: no such program: install weir-builder-arm64, or build it with ./run build "
            "weir_arm64, or say in the "
            "manifest where the node programs are (node_programs)"));
}

}  // namespace weir::builder
