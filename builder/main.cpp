#include <cstdio>
#include <string_view>
#include <vector>

#include "builder/commands/edge/commands.h"
#include "manifests/base/edge/run_program.h"

namespace {

using weir::builder::Arguments;

struct Command {
  std::string_view name;
  int (*run)(const Arguments&);
  std::string_view summary;
};

const std::vector<Command> kCommands = {
    {"lock", weir::builder::run_lock, "fixes every version of an image manifest"},
    {"build", weir::builder::run_build, "makes a signed release from a lock"},
    {"verify", weir::builder::run_verify, "checks a release's signature and every byte it names"},
    {"rebuild", weir::builder::run_rebuild, "makes a release again and compares every bit"},
    {"boot-check", weir::builder::run_boot_check,
     "boots a release, has a peer talk to it, and states so"},
    {"export-digest", weir::builder::run_export_digest, "writes what another machine has to sign"},
    {"attach-signature", weir::builder::run_attach_signature, "adds a signature made elsewhere"},
    {"list", weir::builder::run_list, "lists the releases of a store"},
    {"show", weir::builder::run_show, "shows what is in a release"},
    {"export", weir::builder::run_export,
     "writes a release as UKI, disk, PXE folder or container image"},
    {"sbom", weir::builder::run_sbom, "writes a release's contents as SPDX or CycloneDX"},
    {"attest", weir::builder::run_attest, "signs a release's provenance (DSSE, in-toto, SLSA)"},
    {"provenance", weir::builder::run_provenance, "checks and prints a release's provenance"},
    {"diff", weir::builder::run_diff, "compares two releases and tells the risk in words"},
    {"validate", weir::builder::run_validate, "judges documents by their schemas and parsers"},
};

void print_usage(std::FILE* out) {
  std::fputs("usage: weir-builder COMMAND [ARGUMENTS]\n\n", out);
  for (const auto& command : kCommands) {
    std::fprintf(out, "  %-18s %s\n", command.name.data(), command.summary.data());
  }
  std::fputs("\nweir-builder COMMAND --help explains one command.\n", out);
}

int dispatch(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h" || name == "help") {
    print_usage(stdout);
    return 0;
  }
  if (name == "--version") {
    std::puts("weir-builder " WEIR_VERSION);
    return 0;
  }
  for (const auto& command : kCommands) {
    if (command.name == name) return command.run(Arguments(argv + 2, argv + argc));
  }
  if (!name.empty()) {
    std::fprintf(stderr, "weir-builder: '%s' is not a command\n", argv[1]);
  }
  print_usage(stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  return weir::run_program("weir-builder", [&] { return dispatch(argc, argv); });
}
