#pragma once

#include <optional>
#include <string_view>

#include "manifests/documents/lock.h"

namespace weir::builder {

/// What a lock calls the EFI stub among its programs. Not in the image: UKIs begin with it.
inline constexpr std::string_view kStubProgram = "linuxx64.efi.stub";

/// The stub that a lock pins, if any.
[[nodiscard]] inline std::optional<manifests::LockedProgram> stub_of(const manifests::Lock& lock) {
  for (const auto& program : lock.programs) {
    if (program.name == kStubProgram) return program;
  }
  return std::nullopt;
}

}  // namespace weir::builder
