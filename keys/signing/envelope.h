#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "keys/signing/minisign.h"
#include "manifests/base/result.h"
#include "manifests/documents/dsse.h"

/// Signatures in DSSE envelopes: plain Ed25519 over the pre-authentication encoding. The key id is
/// minisign's, 16 hex digits.
namespace weir::keys {

/// errors: the signer's own
[[nodiscard]] Result<manifests::DsseSignature> sign_payload(const Signer& signer,
                                                            std::string_view payload_type,
                                                            std::string_view payload);

/// One that another tool made: the 64 bytes of an Ed25519 signature over the pre-authentication
/// encoding, or the text of minisign's older, direct signature over it (`minisign -S -l`).
/// errors: unauthorized: not this key's signature over this payload; invalid_input: malformed, or
/// a signature over a hash
[[nodiscard]] Result<manifests::DsseSignature> foreign_signature(const SigningPublicKey& key,
                                                                 std::string_view payload_type,
                                                                 std::string_view payload,
                                                                 std::string_view signature);

/// Who of `trusted` signed the envelope, in their order and each public key once.
[[nodiscard]] std::vector<SigningPublicKey> signers_of(
    const manifests::DsseEnvelope& envelope, const std::vector<SigningPublicKey>& trusted);

}  // namespace weir::keys
