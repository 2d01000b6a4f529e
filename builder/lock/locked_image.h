#pragma once

#include <string>

#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// A manifest and its lock, read and found to belong together.
struct LockedImage {
  std::string manifest_path, lock_path;
  manifests::ImageManifest manifest;
  manifests::Lock lock;
  Digest lock_digest;  ///< of the lock document, byte for byte
  std::string manifest_text, lock_text;
  std::string folder{};      ///< the manifest's, absolute; empty: nobody knows
  std::string lock_again{};  ///< what to do about a lock that does not hold
};

}  // namespace weir::builder
