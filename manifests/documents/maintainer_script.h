#pragma once

#include <string>
#include <string_view>

#include "manifests/base/digest.h"

namespace weir::manifests {

/// Which package a maintainer script belongs to.
struct ScriptOwner {
  std::string_view package;  ///< "linux-image-6.1.0-56-cloud-amd64"
  std::string_view version;  ///< "6.1.192-2"
};

/// A maintainer script without what changes from one version of its package to the next while the
/// code stays the same:
///
/// - comments on lines of their own (debhelper writes its version there) and empty lines are left
///   out, except a first line that starts with "#!" and whatever continues a line that ends in
///   a backslash; white space at the end of a line goes;
/// - the package's version becomes "@VERSION@", the release in a kernel package's name (what
///   follows "linux-image-", or "linux-binary-", "linux-modules-", "linux-base-" of a split one)
///   becomes "@RELEASE@", and the package's name "@PACKAGE@"; the longest is put in first. A name
///   or version of fewer than 3 characters stays.
///
/// Any change of code changes the result. Here-documents are treated like code: a line that starts
/// with "#" inside one is lost, which cannot hide a command that runs as a line of its own.
[[nodiscard]] std::string normalize_script(std::string_view script, const ScriptOwner& owner);

/// What `AcceptedScript::digests` hold: SHA-256 of the normalised script.
[[nodiscard]] Digest script_digest(std::string_view script, const ScriptOwner& owner);

}  // namespace weir::manifests
