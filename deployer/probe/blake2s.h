#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "keys/signing/secret.h"
#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::probe {

using Hash = std::array<std::uint8_t, 32>;
using Mac = std::array<std::uint8_t, 16>;

/// BLAKE2s-256 of the pieces, one after the other. source: RFC 7693
[[nodiscard]] Hash blake2s(std::initializer_list<Bytes> pieces);
/// Keyed BLAKE2s with 16 bytes of output. key: at most 32 bytes
[[nodiscard]] Mac blake2s_mac(Bytes key, Bytes message);
/// WireGuard's KDF: HKDF (RFC 5869) with HMAC-BLAKE2s, no info; `count` keys of 32 bytes.
[[nodiscard]] Result<std::vector<keys::Secret>> kdf(Bytes chaining_key, Bytes input,
                                                    std::size_t count);

}  // namespace weir::probe
