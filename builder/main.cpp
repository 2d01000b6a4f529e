// weir-builder: makes reproducible, signed gateway images.
#include "builder/commands/edge/commands.h"

int main(int argc, char** argv) {
  using namespace weir::builder;  // NOLINT: a driver
  return weir::run_program(
      {.name = "weir-builder",
       .summary = "makes reproducible, signed gateway images",
       .commands = {lock_command(), build_command(), verify_command(), rebuild_command(),
                    boot_check_command(), export_digest_command(), attach_signature_command(),
                    list_command(), show_command(), export_command(), sbom_command(),
                    attest_command(), provenance_command(), diff_command(), validate_command()}},
      argc, argv);
}
