#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// One package of a Packages file. Views into the index.
struct IndexedPackage {
  std::string_view name, version, architecture;
  std::string_view path;  ///< Filename as documents have it: below the archive's base
  ByteCount size;
  Digest digest;               ///< SHA-256; while `sha512` is there, of that text, and no file's
  std::string_view section{};  ///< "kernel", "contrib/kernel"; empty: the archive does not say
  std::string_view sha512{};   ///< lower-case hex, where no SHA-256 is known of the file
};

/// The Packages file of one component of a suite, read whole.
class PackageIndex {
 public:
  /// Takes every paragraph that can be checked later. One that is malformed, or lacks Package,
  /// Version, Architecture, Filename, Size or a digest of SHA256 or SHA512, or has a word that dpkg
  /// does not take or a Filename that no document can hold, is left out and noted. Of two
  /// paragraphs with the same package, version and architecture the first counts, as with apt; it
  /// is noted where they are of different bytes.
  ///
  /// suite          as the lock calls it
  /// architecture   packages of others, but for "all", are left out without a word; empty: of none
  /// errors         invalid_input, with the line: there are paragraphs, and none is of use
  static Result<PackageIndex> parse(std::string text, std::string suite, bool not_automatic,
                                    std::string_view architecture = {});

  /// Of exactly `packages()`, paragraph by paragraph, with line feeds alone.
  [[nodiscard]] const std::string& text() const { return *text_; }
  [[nodiscard]] const std::string& suite() const { return suite_; }
  [[nodiscard]] bool not_automatic() const { return not_automatic_; }
  /// By name, then in the order of the file.
  [[nodiscard]] const std::vector<IndexedPackage>& packages() const { return packages_; }
  /// All versions of one package.
  [[nodiscard]] std::pair<const IndexedPackage*, const IndexedPackage*> named(
      std::string_view name) const;
  /// Fills in the digests of packages that the archive lists by SHA-512 alone.
  ///
  /// known   the SHA-256 of the file that this SHA-512 is of, where it is known
  void settle(const std::function<std::optional<Digest>(std::string_view sha512)>& known);
  /// What was left out, a sentence a paragraph; at most a few, and then how many more.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  PackageIndex() = default;
  std::unique_ptr<const std::string> text_;  // on the heap: views stay valid when the index moves
  std::deque<std::string> texts_;            // paths and digests that the file writes otherwise
  std::string suite_;
  bool not_automatic_ = false;
  std::vector<IndexedPackage> packages_;
  std::vector<std::string> notes_;
};

}  // namespace weir::builder
