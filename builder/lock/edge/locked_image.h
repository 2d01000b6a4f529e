#pragma once

#include <string>

#include "builder/lock/locked_image.h"
#include "builder/mirror/edge/mirror.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// The text of an image manifest. errors: not_found, with what makes one; exhausted, io; naming it
[[nodiscard]] Result<std::string> read_manifest_text(const std::string& path);

/// Reads a manifest and its lock.
///
/// path     a manifest, whose lock lies beside it (NAME.lock.json), or a lock, whose manifest does
/// lock     where a manifest's lock is instead; empty: beside it
/// errors   not_found: one of the two is missing: says to lock; integrity: the manifest changed
///          since it was locked, or it was locked for another compressor; as the parsers
[[nodiscard]] Result<LockedImage> read_locked_image(const std::string& path,
                                                    const std::string& lock = "");

/// Where the packages of its lock are, by the manifest's sources as far as they can be read.
/// errors: as `read_mirrors`
[[nodiscard]] Result<Mirrors> mirrors_of(const LockedImage& image, const MirrorRequest& request);

}  // namespace weir::builder
