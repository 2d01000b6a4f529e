#include "deployer/node/seal_key.h"

#include <sodium.h>

#include "manifests/messages/service_report.h"

namespace weir::node {

using wireguard::SecretKey;

Result<PublicKey> public_key_of(const SecretKey& private_key) {
  std::array<std::uint8_t, 32> raw{};
  if (private_key.is_zero() || crypto_scalarmult_base(raw.data(), private_key.raw().data()) != 0) {
    return fail(Errc::invalid_input, "not a private key");
  }
  return PublicKey::from_raw(raw);
}

Result<SealKey> SealKey::from_secret(const SecretKey& secret) {
  if (sodium_init() < 0) return fail(Errc::bug, "libsodium cannot start");
  TRY_ASSIGN(const PublicKey public_key, public_key_of(secret));
  return SealKey(public_key, secret);
}

Result<SecretKey> SealKey::open(std::string_view sealed) const {
  const auto raw = parse_base64(sealed);
  if (!raw || raw->size() != crypto_box_SEALBYTES + 32) {
    return fail(Errc::invalid_input, "not a sealed key (base64 of 80 bytes)");
  }
  SecretKey out({});
  std::array<std::uint8_t, 32> opened{};
  const Bytes box = as_bytes(*raw);
  const int result = crypto_box_seal_open(opened.data(), box.data(), box.size(),
                                          public_key_.raw().data(), secret_.raw().data());
  out.assign(opened);
  sodium_memzero(opened.data(), opened.size());
  if (result != 0) return fail(Errc::unauthorized, "the key is not sealed to this node's boot");
  return out;
}

Result<SecretBytes> SealKey::open_bytes(std::string_view sealed) const {
  const auto raw = parse_base64(sealed);
  if (!raw || raw->size() < crypto_box_SEALBYTES ||
      raw->size() - crypto_box_SEALBYTES > manifests::kLargestNodeFile.value) {
    return fail(Errc::invalid_input, "not sealed content of at most 256 KiB, in base64");
  }
  SecretBytes out(raw->size() - crypto_box_SEALBYTES);
  const Bytes box = as_bytes(*raw);
  if (crypto_box_seal_open(out.data(), box.data(), box.size(), public_key_.raw().data(),
                           secret_.raw().data()) != 0) {
    return fail(Errc::unauthorized, "the content is not sealed to this node's boot");
  }
  return out;
}

}  // namespace weir::node
