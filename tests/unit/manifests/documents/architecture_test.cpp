#include "manifests/documents/architecture.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/images/scratch.h"

namespace weir::manifests {
namespace {

std::string line_of(const std::string& command) {
  std::string out = test::must(command);
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("architectures have the names that dpkg, readelf and systemd have for them") {
  CHECK(line_of("dpkg --print-architecture") == own_architecture().name);
  for (const std::string name : {"amd64", "arm64"}) {
    CAPTURE(name);
    const auto known = parse_architecture(name);
    REQUIRE(known.has_value());
    CHECK(known->name == name);
    const std::string triplet =
        line_of("dpkg-architecture --host-arch " + name + " --query DEB_HOST_MULTIARCH");
    CHECK(known->library_folder == triplet);
    // The same compiler's own object: e_machine is its bytes 18 and 19 (elf(5)).
    const test::TemporaryFolder folder;
    const std::string object = folder.path + "/o";
    test::must("echo 'int x;' | " + triplet + "-gcc -x c -c -o " + object + " -");
    CHECK(line_of("od -An -tu2 -j18 -N2 " + object + " | tr -d ' '") ==
          std::to_string(known->elf_machine));
    CHECK(is_efi_stub(known->efi_stub));
  }
  // UEFI specification 2.10, 3.5.1.1; Microsoft, PE Format, machine types.
  CHECK(parse_architecture("amd64")->efi_program == "BOOTX64.EFI");
  CHECK(parse_architecture("arm64")->efi_program == "BOOTAA64.EFI");
  CHECK(parse_architecture("amd64")->pe_machine == 0x8664);
  CHECK(parse_architecture("arm64")->pe_machine == 0xaa64);
  CHECK_FALSE(is_efi_stub("weir-init"));
}

TEST_CASE("another architecture is refused with those that there are") {
  for (const std::string name : {"armhf", "aarch64", "", "ARM64"}) {
    const auto refused = parse_architecture(name);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().message ==
          "'" + name + "' is no architecture that images are made for (there are amd64, arm64)");
  }
}

}  // namespace weir::manifests
