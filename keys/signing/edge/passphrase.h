#pragma once

#include <cstdint>
#include <string>

#include "keys/signing/secret.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// Takes WEIR_PASSPHRASE out of the environment and keeps it in locked memory: for the beginning of
/// `main`, before anything is started that would inherit it. errors: exhausted
[[nodiscard]] Status keep_passphrase();

/// WEIR_PASSPHRASE, else what is typed at the terminal after `prompt`. A new passphrase is asked
/// for twice and may not be empty. errors: unauthorized: no terminal, given up, or the two differ
enum class Asking : std::uint8_t { known, fresh };
[[nodiscard]] Result<Secret> ask_passphrase(const std::string& prompt, Asking asking);

/// Says on stderr that a key is derived from a passphrase now, which takes seconds. Nothing where
/// stderr is no terminal: nobody waits there.
void tell_derivation();

}  // namespace weir::keys
