#pragma once

#include <string_view>

#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// How much of a file `secret_in_file` wants to see.
inline constexpr ByteCount kSniffed{65536};

/// What is looked at of a file that may hold a secret.
struct FileHead {
  std::string_view content;  ///< its first `kSniffed` bytes, or all of it
  ByteCount size;            ///< the file's
  unsigned mode = 0;         ///< as in chmod
};

/// What secret a file holds, told by its content: for those that are about to replace it. In doubt
/// it holds one, so this proves nothing of a file that is to be used. Known are minisign secret
/// keys of every kind and spelling, sealed WireGuard identities, WireGuard keys and configurations
/// that hold one, key files of 32 bytes, PEM, OpenSSH, PuTTY and age secret keys.
///
/// returns  such as "a sealed WireGuard identity"; empty: none of these
/// source   minisign 0.11, src/minisign.h (SeckeyStruct); wg(8); RFC 7468; OpenSSH, PROTOCOL.key;
///          C2SP, age.md
[[nodiscard]] std::string_view secret_in_file(const FileHead& file);

}  // namespace weir::keys
