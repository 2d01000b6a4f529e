#pragma once

#include <functional>

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// Encodes a tree as a tar archive for container images: POSIX ustar, with pax headers where a name
/// or a link's target is too long for it. Entries in the tree's order; same tree, same bytes.
/// Devices stay out: a container runtime makes /dev itself, and an ordinary user cannot unpack
/// them.
///
/// sink     gets the bytes in order, in pieces
/// errors   invalid_input: a name that container images read as a deletion (".wh."), an owner over
///          2097151 or a file of 8 GiB or more; the sink's own
/// source   POSIX.1-2017, pax, "ustar" and "pax"; OCI image specification 1.1, layer.md
[[nodiscard]] Status encode_tar(const FileTree& tree, const std::function<Status(Bytes)>& sink);

}  // namespace weir::images
