#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "builder/kernel/module_signature.h"
#include "manifests/base/result.h"

struct evp_pkey_st;

namespace weir::builder {

/// The certificate of a PEM file, as DER.
/// errors: invalid_input: no certificate, several, or one whose key is neither RSA nor ECDSA
[[nodiscard]] Result<std::string> read_signing_certificate(std::string_view pem);

/// Whether a PEM file has a private key in it, whatever it is worth.
/// errors: invalid_input: says what is there in its place
[[nodiscard]] Status check_holds_private_key(std::string_view pem);

/// The secret half of a certificate that signs modules.
class ModuleSigningKey {
 public:
  /// pem          as openssl writes it: PKCS #8, or the older forms
  /// passphrase   asked for once where the key is encrypted
  /// errors       invalid_input: no private key; unauthorized: the wrong passphrase, and those of
  ///              `passphrase`
  static Result<ModuleSigningKey> open(std::string_view pem,
                                       const std::function<Result<std::string>()>& passphrase);

  /// errors: invalid_input: it is another certificate's
  [[nodiscard]] Status check_is_of(const KernelCertificate& certificate) const;

  /// The signature that the kernel's own scripts/sign-file makes: PKCS #7 without attributes or
  /// certificates, SHA-256, DER. Of an RSA key it is the same each time.
  ///
  /// module   unpacked and not signed
  /// errors   invalid_input: the key is not the certificate's
  [[nodiscard]] Result<std::string> sign(Bytes module, const KernelCertificate& certificate) const;

 private:
  explicit ModuleSigningKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

/// A module with its signature behind it, as the kernel loads it.
/// source  Linux, include/linux/module_signature.h
[[nodiscard]] std::string with_signature(std::string_view module, std::string_view message);

}  // namespace weir::builder
