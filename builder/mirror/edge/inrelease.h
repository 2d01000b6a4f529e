#pragma once

#include <string>
#include <string_view>

#include "builder/mirror/keyring.h"
#include "builder/mirror/suite_index.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// A keyring's file, binary or armoured.
///
/// path     absolute
/// errors   not_found: it cannot be read; invalid_input: it is none. Each names the path
[[nodiscard]] Result<Keyring> read_keyring(const std::string& path);

/// Has gpgv check a clear-signed file.
///
/// file     an InRelease, as fetched
/// returns  the signed text as gpgv gives it; never a part of `file` itself
/// errors   not_found: gpgv is not installed; invalid_input: not one clear-signed message;
///          unauthorized: see judge_gpgv_status; timeout: over 30 s
[[nodiscard]] Result<SignedText> verify_inrelease(std::string_view file, const Keyring& keyring);

/// Has gpgv check a file by a signature that lies beside it.
///
/// file       a Release, as fetched
/// signature  its Release.gpg, armoured or binary
/// returns    `file`, which is signed whole; errors: as above, but for invalid_input
[[nodiscard]] Result<SignedText> verify_release(std::string_view file, std::string_view signature,
                                                const Keyring& keyring);

}  // namespace weir::builder
