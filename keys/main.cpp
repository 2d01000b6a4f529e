// weir-keys: signing keys in minisign's formats and WireGuard identities sealed at rest.
#include <cstdio>
#include <vector>

#include "keys/commands/edge/key_commands.h"
#include "keys/commands/edge/sign_commands.h"
#include "keys/commands/edge/trust_commands.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"
#include "manifests/base/edge/harden_process.h"
#include "manifests/base/edge/interruption.h"
#include "manifests/base/edge/program.h"

namespace {

weir::CommandTable table() {
  weir::CommandTable out{
      .name = "weir-keys",
      .summary = "Signing keys, trust and WireGuard identities.",
      .commands = weir::keys::key_commands(),
      .notes =
          "Passphrases come from WEIR_PASSPHRASE or are asked for at the terminal.\n"
          "Formats: docs/keys.md, docs/trust.md\n"};
  for (auto& more : {weir::keys::sign_commands(), weir::keys::trust_commands()}) {
    out.commands.insert(out.commands.end(), more.begin(), more.end());
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  weir::harden_process();
  weir::clean_up_when_interrupted();
  if (const weir::Status kept = weir::keys::keep_passphrase(); !kept) {
    std::fprintf(stderr, "weir-keys: %s\n", kept.error().message.c_str());
    return 1;
  }
  return weir::run_program(table(), argc, argv);
}
