#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// What a bzImage says about itself.
struct KernelImage {
  std::string release;                ///< `uname -r`
  std::string build_id;               ///< GNU build id, as /sys/kernel/notes shows it
  std::vector<std::uint8_t> vmlinux;  ///< the kernel proper, unpacked
};

/// Opens an x86 boot image and unpacks the kernel in it (gzip, xz, lzma, lz4 or zstd).
/// errors: invalid_input: not a bzImage of boot protocol 2.08 or newer, or damaged
/// source: Linux, Documentation/arch/x86/boot.rst
[[nodiscard]] Result<KernelImage> parse_kernel_image(Bytes bytes);

/// Whether a kernel would accept a module with this `vermagic`: it holds the same text.
[[nodiscard]] bool accepts_vermagic(const KernelImage& kernel, std::string_view vermagic);

}  // namespace weir::builder
