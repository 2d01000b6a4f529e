#pragma once

#include <string>
#include <string_view>

#include "builder/mirror/suite_index.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// Has gpgv check a clear-signed file.
///
/// file     an InRelease, as fetched
/// keyring  absolute path of an OpenPGP keyring (.gpg)
/// returns  the signed text as gpgv gives it; never a part of `file` itself
/// errors   not_found: no such keyring, or gpgv is not installed; invalid_input: not one
///          clear-signed message; unauthorized: see judge_gpgv_status; timeout: over 30 s
[[nodiscard]] Result<SignedText> verify_inrelease(std::string_view file,
                                                  const std::string& keyring);

}  // namespace weir::builder
