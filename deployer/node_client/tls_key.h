#pragma once

#include <string>
#include <string_view>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::node_client {

/// A minimal self-signed certificate for a key: peers pin the key and ignore the rest. PEM; equal
/// keys give equal certificates. errors: invalid_input: not an Ed25519 private key in PEM
[[nodiscard]] Result<std::string> certificate_for(const std::string& private_key_pem);

/// SHA-256 of the key's SubjectPublicKeyInfo (DER). errors: as above
[[nodiscard]] Result<Digest> pin_of(const std::string& private_key_pem);

}  // namespace weir::node_client
