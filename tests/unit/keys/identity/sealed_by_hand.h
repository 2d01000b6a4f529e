#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "manifests/base/digest.h"

namespace weir::test {

inline const std::string kSealSalt(16, 's'), kSealNonce(24, 'n');
inline const std::string kSealFile(32, 'k');  ///< the key file that opens it

/// docs/keys.md with libsodium's calls, for documents that nothing here would write.
inline std::string sealed_by_hand(const std::string& type_and_keys,
                                  const std::string& private_keys) {
  const std::string covered =
      "{" + type_and_keys + R"(,"key_derivation":{"algorithm":"blake2b-key-file","salt":")" +
      base64_of(as_bytes(kSealSalt)) + R"("},"cipher":"xchacha20-poly1305-ietf","nonce":")" +
      base64_of(as_bytes(kSealNonce)) + "\"}";
  std::array<std::uint8_t, 32> key{};
  crypto_generichash(key.data(), 32, as_bytes(kSealSalt).data(), 16, as_bytes(kSealFile).data(),
                     32);
  std::vector<std::uint8_t> sealed(private_keys.size() + 16);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      sealed.data(), nullptr, as_bytes(private_keys).data(), private_keys.size(),
      as_bytes(covered).data(), covered.size(), nullptr, as_bytes(kSealNonce).data(), key.data());
  return covered.substr(0, covered.size() - 1) + R"(,"ciphertext":")" + base64_of(sealed) + "\"}";
}

}  // namespace weir::test
