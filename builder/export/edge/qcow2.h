#pragma once

#include <string>

#include "images/formats/extent.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Where it is. errors: not_found: names the package
[[nodiscard]] Result<std::string> find_qemu_img();

/// A disk as a qcow2 image, by the stock `qemu-img convert`: version 3, clusters of 64 KiB, none
/// where the disk is zero. Same disk and same qemu-img, same bytes.
///
/// beside   a file beside which qemu-img may work
/// errors   not_found: qemu-img is missing: names the package; io, with its words; exhausted
[[nodiscard]] Result<std::string> convert_to_qcow2(const images::SparseFile& disk,
                                                   const std::string& beside);

}  // namespace weir::builder
