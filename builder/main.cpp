// weir-builder: makes reproducible, signed gateway images.
#include <cstdio>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/init.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"
#include "manifests/base/edge/harden_process.h"
#include "manifests/base/edge/interruption.h"

int main(int argc, char** argv) {
  using namespace weir::builder;  // NOLINT: a driver
  weir::harden_process();
  weir::clean_up_when_interrupted();
  if (const weir::Status kept = weir::keys::keep_passphrase(); !kept) {
    std::fprintf(stderr, "weir-builder: %s\n", kept.error().message.c_str());
    return 1;
  }
  return weir::run_program(
      {.name = "weir-builder",
       .summary = "makes reproducible, signed gateway images",
       .commands = {init_command(), lock_command(), scripts_command(), module_command(),
                    build_command(), verify_command(), rebuild_command(), boot_check_command(),
                    export_digest_command(), attach_signature_command(), list_command(),
                    show_command(), export_command(), sbom_command(), attest_command(),
                    provenance_command(), diff_command(), validate_command()}},
      argc, argv);
}
