#pragma once

#include "images/formats/extent.h"
#include "manifests/base/result.h"

namespace weir::images {

/// A disk as a qcow2 image, version 3: clusters of 64 KiB, uncompressed, none where the disk is
/// zero. Same disk, same bytes.
/// errors   invalid_input: no whole number of sectors, or over 1 TiB
/// source   QEMU, docs/interop/qcow2.txt
[[nodiscard]] Result<SparseFile> encode_qcow2(const SparseFile& disk);

}  // namespace weir::images
