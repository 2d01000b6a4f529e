#include "keys/signing/edge/passphrase.h"

#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>

#include "keys/signing/edge/silent_terminal.h"
#include "manifests/base/digest.h"
#include "manifests/base/edge/harden_process.h"

namespace weir::keys {
namespace {

constexpr const char* kVariable = "WEIR_PASSPHRASE";

/// What the environment had. It is asked for again and again: by each key that signs a trust.
std::optional<Secret>& kept() {
  static std::optional<Secret> passphrase;
  return passphrase;
}

}  // namespace

Status keep_passphrase() {
  TakenVariable given = TakenVariable::take(kVariable);
  if (!given.value()) return {};
  TRY_ASSIGN(kept(), Secret::copy_of(as_bytes(given.value())));
  return {};
}

Result<Secret> ask_passphrase(const std::string& prompt, Asking asking) {
  const auto usable = [&](const Secret& passphrase) -> Status {
    if (asking == Asking::known || passphrase.size() > 0) return {};
    return fail(Errc::unauthorized, "a passphrase must not be empty");
  };
  TRY(keep_passphrase());
  if (kept()) {
    TRY_IN(usable(*kept()), kVariable);
    return Secret::copy_of(kept()->bytes());
  }
  TRY_ASSIGN(SilentTerminal terminal, SilentTerminal::open());
  TRY_ASSIGN(Secret out, terminal.ask(prompt + ": "));
  TRY(usable(out));
  if (asking == Asking::fresh) {
    TRY_ASSIGN(const Secret again, terminal.ask("The same again: "));
    if (!again.equals(out)) return fail(Errc::unauthorized, "the two passphrases differ");
  }
  return out;
}

void tell_derivation() {
  if (::isatty(STDERR_FILENO) != 1) return;
  std::fputs("deriving the key from the passphrase, which takes some seconds\n", stderr);
}

}  // namespace weir::keys
