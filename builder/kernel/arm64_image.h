#pragma once

#include "builder/kernel/kernel_image.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Whether the bytes begin as an arm64 boot image, `Image`. source: booting.rst, below
[[nodiscard]] bool is_arm64_image(Bytes bytes);

/// Reads an arm64 `Image`. It is the kernel as it lies in memory, without sections, so what it says
/// of itself is found by what it looks like: the release in its banner ("Linux version RELEASE "),
/// the build id in the one note of that kind that is not in a program within it (the vDSO's).
///
/// returns  `vmlinux` is the image itself
/// errors   invalid_input: big endian, cut, or it does not say who it is, or says so twice
/// source   Linux, Documentation/arch/arm64/booting.rst; include/linux/elfnote.h; init/version.c
[[nodiscard]] Result<KernelImage> parse_arm64_image(Bytes bytes);

}  // namespace weir::builder
