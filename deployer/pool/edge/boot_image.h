#pragma once

#include <string>

#include "images/store/store.h"
#include "manifests/base/edge/file.h"
#include "manifests/documents/architecture.h"
#include "manifests/documents/release.h"

namespace weir::pool {

/// A release's kernel and initramfs in sealed memory: verified once, and no longer changeable.
struct BootImage {
  Fd kernel;     ///< memfd, F_SEAL_WRITE | SHRINK | GROW | SEAL
  Fd initramfs;  ///< the same; all layers in order
  std::string command_line;
  std::string architecture{manifests::own_architecture().name};  ///< Debian's name
};

/// Reads a release's kernel and layers from the store into sealed memory. Every blob is hashed on
/// the way, and nothing is sealed or returned before the last digest matched: what boots is what
/// was signed.
///
/// release  from a verified document; this function checks blobs, not signatures
/// errors   integrity: a blob differs from the release, naming it; not_found; exhausted; io
[[nodiscard]] Result<BootImage> make_boot_image(const manifests::Release& release,
                                                const images::Store& store);

}  // namespace weir::pool
