#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

struct evp_pkey_st;
struct x509_st;

namespace weir::node_client {

struct FreeTls {
  void operator()(evp_pkey_st* key) const;  ///< wipes it
  void operator()(x509_st* certificate) const;
};
/// OpenSSL's EVP_PKEY, an Ed25519 key, and X509.
using TlsPrivateKey = std::unique_ptr<evp_pkey_st, FreeTls>;
using TlsCertificate = std::unique_ptr<x509_st, FreeTls>;

/// Reads a key as `print_tls_key` writes it. OpenSSL's own readers leave the text and what they
/// decode in freed memory; this one leaves nothing.
/// errors: invalid_input: not an Ed25519 private key in PEM (PKCS#8, without attributes or
/// passphrase)
[[nodiscard]] Result<TlsPrivateKey> read_tls_key(std::string_view private_key_pem);

/// PEM, PKCS#8. The caller wipes what it got.
///
/// secret  the key's 32 bytes
/// source  RFC 8410, section 7; RFC 7468, section 10
[[nodiscard]] std::string print_tls_key(std::span<const std::uint8_t, 32> secret);

/// A minimal self-signed certificate for a key: peers pin the key and ignore the rest. Equal keys
/// give equal certificates. errors: bug: OpenSSL refused
[[nodiscard]] Result<TlsCertificate> certificate_of(const TlsPrivateKey& key);
/// The same for a key in PEM, in PEM. errors: as `read_tls_key` too
[[nodiscard]] Result<std::string> certificate_for(std::string_view private_key_pem);

/// SHA-256 of the key's SubjectPublicKeyInfo (DER). errors: bug: OpenSSL refused
[[nodiscard]] Result<Digest> pin_of(const TlsPrivateKey& key);

}  // namespace weir::node_client
