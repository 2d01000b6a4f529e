#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// What a unified kernel image carries. Empty texts are left out.
struct UkiParts {
  std::string os_release;    ///< os-release(5)
  std::string command_line;  ///< for the kernel
  std::string kernel_name;   ///< `uname -r`
  Bytes initrd;
  Bytes kernel;  ///< bzImage (x86) or Image (arm64) with an EFI stub
};

/// A unified kernel image: one EFI program that is `stub` with the parts as PE sections, the
/// kernel last.
/// errors   invalid_input: the stub is no such program, or the kernel none for EFI and its machine;
/// exhausted source   UAPI group, UKI specification; systemd-stub(7)
[[nodiscard]] Result<std::vector<std::uint8_t>> encode_uki(Bytes stub, const UkiParts& parts);

}  // namespace weir::images
