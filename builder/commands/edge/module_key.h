#pragma once

#include <memory>
#include <string>

#include "builder/kernel/module_signing.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Reads the private key that signs kernel modules; asks for a passphrase where it is encrypted
/// (WEIR_PASSPHRASE, else the terminal).
/// errors: as `keys::read_guarded_secret` and `ModuleSigningKey::open`; each names the file
[[nodiscard]] Result<std::shared_ptr<const ModuleSigningKey>> read_module_key(
    const std::string& path);

}  // namespace weir::builder
