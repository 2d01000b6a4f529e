#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keys/signing/secret.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Reads keys that an image must not contain, from a fleet's own store: sealed WireGuard
/// identities (of all their epochs), keys as `wg genkey` and `wg genpsk` write them, minisign
/// secret keys, and key files of 32 raw bytes.
///
/// paths      files, or folders of such files (their folders too; public keys, `.pub`, and
///            signatures, `.minisig`, are passed over)
/// key_file   opens sealed identities, and is itself one of the keys; absent: a passphrase
///            (WEIR_PASSPHRASE, else the terminal)
/// errors     invalid_input: a file that is none of these; as `keys::read_identity` and
///            `keys::read_key_file`
[[nodiscard]] Result<std::vector<keys::Secret>> read_own_secrets(
    const std::vector<std::string>& paths, const std::optional<std::string>& key_file);

}  // namespace weir::builder
