#pragma once

#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::builder {

/// OpenPGP public keys, in the form that gpgv reads. Who holds one of them may sign.
class Keyring {
 public:
  /// text    a keyring as gpg exports it, or armoured, also several blocks one after the other, or
  ///         the block of a `Signed-By` field with its lone dots
  /// errors  invalid_input: none of these, or damaged
  /// source  RFC 9580, section 6; sources.list(5), Signed-By
  static Result<Keyring> parse(std::string_view text);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  bool operator==(const Keyring&) const = default;

 private:
  explicit Keyring(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

/// Whether a primary key of one is in the other too; a keybox has none that could be seen.
[[nodiscard]] bool share_a_key(const Keyring& one, const Keyring& other);

/// Whether a keyring is written out where its file could stand.
[[nodiscard]] bool is_armoured_key(std::string_view text);

}  // namespace weir::builder
