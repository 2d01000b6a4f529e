#include "manifests/documents/architecture.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <string>

namespace weir::manifests {
namespace {

constexpr std::array<Architecture, 2> kArchitectures = {{{.name = "amd64",
                                                          .library_folder = "x86_64-linux-gnu",
                                                          .elf_machine = EM_X86_64,
                                                          .pe_machine = 0x8664,
                                                          .efi_stub = "linuxx64.efi.stub",
                                                          .efi_program = "BOOTX64.EFI",
                                                          .oci_variant = "",
                                                          .loader_kind = 0x0303},
                                                         {.name = "arm64",
                                                          .library_folder = "aarch64-linux-gnu",
                                                          .elf_machine = EM_AARCH64,
                                                          .pe_machine = 0xaa64,
                                                          .efi_stub = "linuxaa64.efi.stub",
                                                          .efi_program = "BOOTAA64.EFI",
                                                          .oci_variant = "v8",
                                                          .loader_kind = 0x0a03}}};

#if defined(__x86_64__)
constexpr std::size_t kOwn = 0;
#elif defined(__aarch64__)
constexpr std::size_t kOwn = 1;
#endif

}  // namespace

Result<Architecture> parse_architecture(std::string_view name) {
  std::string known;
  for (const Architecture& each : kArchitectures) {
    if (each.name == name) return each;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  return fail(Errc::invalid_input, "'" + std::string(name) +
                                       "' is no architecture that images are made for (there are " +
                                       known + ")");
}

Architecture own_architecture() {
  return kArchitectures[kOwn];
}

bool is_efi_stub(std::string_view name) {
  return std::any_of(kArchitectures.begin(), kArchitectures.end(),
                     [&](const Architecture& each) { return each.efi_stub == name; });
}

}  // namespace weir::manifests
