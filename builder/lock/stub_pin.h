#pragma once

#include <optional>

#include "manifests/documents/architecture.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// The EFI stub that a lock pins, if any: among its programs, by its file's name
/// (`Architecture::efi_stub`). Not in the image: UKIs begin with it.
[[nodiscard]] inline std::optional<manifests::LockedProgram> stub_of(const manifests::Lock& lock) {
  for (const auto& program : lock.programs) {
    if (manifests::is_efi_stub(program.name)) return program;
  }
  return std::nullopt;
}

}  // namespace weir::builder
