#pragma once

#include <memory>
#include <optional>
#include <string>

#include "builder/kernel/module_signing.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Reads the private key that signs kernel modules; asks for a passphrase where it is encrypted
/// (WEIR_PASSPHRASE, else the terminal).
///
/// signer   the certificate that it must be of; nothing: nobody signs
/// errors   as `keys::read_guarded_secret` and `ModuleSigningKey`; each names the file
[[nodiscard]] Result<std::shared_ptr<const ModuleSigningKey>> read_module_key(
    const std::string& path, const std::optional<KernelCertificate>& signer);

/// Whether `read_module_key` will read it, as far as that can be told without its passphrase.
/// errors: as above
[[nodiscard]] Status check_module_key(const std::string& path,
                                      const std::optional<KernelCertificate>& signer);

/// What a plan says of signing: "by CN = Operator, with modules.pem".
/// path   of the key; nothing: none was given
[[nodiscard]] std::string describe_signing(const std::optional<std::string>& path,
                                           const std::optional<KernelCertificate>& signer);

}  // namespace weir::builder
