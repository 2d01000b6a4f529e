#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// One package of a Packages file. Views into the index's text.
struct IndexedPackage {
  std::string_view name, version, architecture;
  std::string_view path;  ///< Filename: below the archive's base
  ByteCount size;
  Digest digest;
};

/// The Packages file of one component of a suite, read whole.
class PackageIndex {
 public:
  /// errors: invalid_input, with the line: a malformed paragraph, or one without Package, Version,
  ///         Architecture, Filename, Size or SHA256; the same package and version twice
  static Result<PackageIndex> parse(std::string text, std::string suite, bool not_automatic);

  [[nodiscard]] const std::string& text() const { return *text_; }
  [[nodiscard]] const std::string& suite() const { return suite_; }
  [[nodiscard]] bool not_automatic() const { return not_automatic_; }
  /// By name, then in the order of the file.
  [[nodiscard]] const std::vector<IndexedPackage>& packages() const { return packages_; }
  /// All versions of one package.
  [[nodiscard]] std::pair<const IndexedPackage*, const IndexedPackage*> named(
      std::string_view name) const;

 private:
  PackageIndex() = default;
  std::unique_ptr<const std::string> text_;  // on the heap: views stay valid when the index moves
  std::string suite_;
  bool not_automatic_ = false;
  std::vector<IndexedPackage> packages_;
};

/// Unpacks an .xz file.
///
/// limit   what it may unpack to
/// errors  integrity: damaged or cut off; exhausted: more than `limit`, or over 256 MiB of memory
[[nodiscard]] Result<std::string> decode_xz(std::string_view packed, ByteCount limit);

}  // namespace weir::builder
