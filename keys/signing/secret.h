#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::keys {

/// Bytes in locked, guarded memory (sodium_malloc), wiped when they go. Cannot be copied, printed
/// or compared other than in constant time.
class Secret {
 public:
  /// errors: exhausted
  static Result<Secret> copy_of(std::span<const std::uint8_t> bytes);  ///< the source is not wiped
  static Result<Secret> of_size(std::size_t bytes);                    ///< zeroed

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_.get(), size_}; }
  [[nodiscard]] std::span<std::uint8_t> writable() { return {data_.get(), size_}; }
  /// The same bytes for functions that take text. Never printed, never kept.
  [[nodiscard]] std::string_view text() const;
  /// Drops all but the first `bytes`, wiping the rest; does not grow.
  void shrink(std::size_t bytes);
  [[nodiscard]] bool equals(const Secret& other) const;

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const;
  };
  std::unique_ptr<std::uint8_t, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace weir::keys
