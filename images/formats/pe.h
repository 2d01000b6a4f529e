#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::images {

/// A section to be added: data only, read by whoever knows its name.
struct PeSection {
  std::string name;  ///< 1 to 8 bytes: ".cmdline"
  Bytes content;     ///< not empty
};

/// A PE32+ program with sections put behind its own, in the order given.
///
/// program   of any machine, with room in its headers, without a signature
/// returns   `program` up to the end of its last section, byte for byte but for its headers, then
///           the sections; same input, same bytes. Symbols for debuggers are left out, the checksum
///           is set anew.
/// errors    invalid_input: not such a program, a section that is there already or misnamed;
///           exhausted: no room for another header, or over 2 GiB
/// source    Microsoft, PE Format; UEFI 2.10, section 2.1.1
[[nodiscard]] Result<std::vector<std::uint8_t>> add_pe_sections(
    Bytes program, const std::vector<PeSection>& sections);

/// The machine that a PE program is for: 0x8664 (x86-64), 0xaa64 (ARM64).
/// errors: invalid_input: not a PE program
[[nodiscard]] Result<std::uint16_t> pe_machine(Bytes program);

}  // namespace weir::images
