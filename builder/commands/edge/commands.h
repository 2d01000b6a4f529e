#pragma once

#include "manifests/base/edge/program.h"

/// The commands of weir-builder, each in a file of its own (lock.cpp, ...).
namespace weir::builder {

[[nodiscard]] Command lock_command();
[[nodiscard]] Command module_command();
[[nodiscard]] Command build_command();
[[nodiscard]] Command scripts_command();
[[nodiscard]] Command verify_command();
[[nodiscard]] Command rebuild_command();
[[nodiscard]] Command boot_check_command();
[[nodiscard]] Command export_digest_command();
[[nodiscard]] Command attach_signature_command();
[[nodiscard]] Command list_command();
[[nodiscard]] Command show_command();
[[nodiscard]] Command export_command();
[[nodiscard]] Command sbom_command();
[[nodiscard]] Command attest_command();
[[nodiscard]] Command provenance_command();
[[nodiscard]] Command diff_command();
[[nodiscard]] Command validate_command();

}  // namespace weir::builder
