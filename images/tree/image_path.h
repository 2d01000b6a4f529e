#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::images {

/// A place inside an image, normalised and inside the root: "usr/bin/wg". The root itself is "".
/// Nothing else can be made, so code that takes an ImagePath need not look for "..".
class ImagePath {
 public:
  ImagePath() = default;  ///< the root

  /// Accepts "usr/bin/wg", "/usr/bin/wg", "./usr//bin/wg/". At most 1024 bytes and 64 components of
  /// at most 255 bytes, as Linux file systems take them.
  /// errors: invalid_input: "..", a NUL byte or a line break; exhausted: too long or too deep
  static Result<ImagePath> parse(std::string_view text);

  [[nodiscard]] const std::string& string() const { return text_; }
  [[nodiscard]] bool is_root() const { return text_.empty(); }
  [[nodiscard]] ImagePath parent() const;  ///< of the root: the root
  [[nodiscard]] std::string_view name() const;
  /// Whether this is `folder` or lies in it.
  [[nodiscard]] bool is_within(std::string_view folder) const;

  auto operator<=>(const ImagePath&) const = default;  ///< by bytes: parents come before children

 private:
  explicit ImagePath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace weir::images
