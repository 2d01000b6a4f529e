#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// What a boot image says about itself.
struct KernelImage {
  std::string release;   ///< `uname -r`
  std::string build_id;  ///< GNU build id, as /sys/kernel/notes shows it
  /// The kernel proper, unpacked: an ELF file on x86, on arm64 what lies in memory.
  std::vector<std::uint8_t> vmlinux;
};

/// Opens a boot image, recognised by its magic: of x86 (bzImage), whose kernel it unpacks (gzip,
/// xz, lzma, lz4 or zstd), or of arm64 (Image), as it is or in gzip. errors: invalid_input: not a
/// bzImage of boot protocol 2.08 or newer, nor an Image, or damaged source: Linux,
/// Documentation/arch/x86/boot.rst, Documentation/arch/arm64/booting.rst
[[nodiscard]] Result<KernelImage> parse_kernel_image(Bytes bytes);

/// Whether a kernel would accept a module with this `vermagic`: it holds the same text.
[[nodiscard]] bool accepts_vermagic(const KernelImage& kernel, std::string_view vermagic);

}  // namespace weir::builder
