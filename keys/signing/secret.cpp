#include "keys/signing/secret.h"

#include <sodium.h>

#include <algorithm>

namespace weir::keys {

void Secret::Free::operator()(std::uint8_t* bytes) const {
  sodium_free(bytes);
}

Result<Secret> Secret::of_size(std::size_t bytes) {
  // Safe to repeat; sodium_malloc's guard bytes need it once.
  if (sodium_init() < 0) return fail(Errc::bug, "libsodium does not start");
  Secret out;
  // sodium_malloc(0) may give no address, which would read as failure.
  out.data_.reset(static_cast<std::uint8_t*>(sodium_malloc(std::max<std::size_t>(bytes, 1))));
  if (!out.data_) return fail(Errc::exhausted, "no locked memory left for a secret");
  sodium_memzero(out.data_.get(), std::max<std::size_t>(bytes, 1));
  out.size_ = bytes;
  return out;
}

Result<Secret> Secret::copy_of(std::span<const std::uint8_t> bytes) {
  TRY_ASSIGN(Secret out, of_size(bytes.size()));
  std::copy(bytes.begin(), bytes.end(), out.data_.get());
  return out;
}

std::string_view Secret::text() const {
  return {reinterpret_cast<const char*>(data_.get()), size_};
}

void Secret::shrink(std::size_t bytes) {
  if (bytes >= size_) return;
  sodium_memzero(data_.get() + bytes, size_ - bytes);
  size_ = bytes;
}

bool Secret::equals(const Secret& other) const {
  return size_ == other.size_ &&
         (size_ == 0 || sodium_memcmp(data_.get(), other.data_.get(), size_) == 0);
}

}  // namespace weir::keys
