#pragma once

#include <cstdint>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::manifests {

/// A kind of machine that images are made for, by the names that others have for it.
struct Architecture {
  std::string_view name;            ///< Debian's: "arm64"
  std::string_view library_folder;  ///< Debian's multiarch name: "aarch64-linux-gnu"
  std::uint16_t elf_machine = 0;    ///< e_machine of its programs and modules
  std::uint16_t pe_machine = 0;     ///< of its EFI programs
  std::string_view efi_stub;        ///< systemd's file: "linuxaa64.efi.stub"
  std::string_view efi_program;     ///< what firmware starts from a disk: "BOOTAA64.EFI"
  std::string_view oci_variant;     ///< of its OCI images; empty: none
  std::int32_t loader_kind = 0;     ///< of its libraries in /etc/ld.so.cache
};

/// errors: invalid_input: not one of them, naming them
/// source: dpkg-architecture(1); elf.h; Microsoft, PE Format; UEFI 2.10, section 3.5.1.1;
///         systemd-stub(7); OCI image specification, image-index.md (platform variants);
///         what ldconfig of glibc 2.36 writes
[[nodiscard]] Result<Architecture> parse_architecture(std::string_view name);

/// That of the running program.
[[nodiscard]] Architecture own_architecture();

/// Whether `name` is the file of some architecture's EFI stub.
[[nodiscard]] bool is_efi_stub(std::string_view name);

}  // namespace weir::manifests
