#include "builder/mirror/unpack.h"

#include <openssl/sha.h>

#include <array>

#include "images/formats/decompress.h"
#include "manifests/base/digest.h"

namespace weir::builder {

Result<std::string> unpack_index(std::string_view packed, ByteCount limit) {
  const auto out = images::decompress(as_bytes(packed), limit);
  if (out) return std::string(out->begin(), out->end());
  Error error = out.error();
  if (error.code == Errc::invalid_input) error.code = Errc::integrity;
  return tl::unexpected(std::move(error));
}

std::string sha512_of(std::string_view bytes) {
  std::array<std::uint8_t, SHA512_DIGEST_LENGTH> raw{};
  SHA512(as_bytes(bytes).data(), bytes.size(), raw.data());
  return hex_of(raw);
}

}  // namespace weir::builder
