#pragma once

#include <string>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace weir::node {

/// The GNU build id among a sequence of ELF notes, as lower-case hex.
///
/// notes   as /sys/kernel/notes and /sys/module/NAME/notes/.note.gnu.build-id show them: host byte
/// order,
///         names and descriptors padded to 4 bytes
/// errors  invalid_input: malformed; not_found: no such note
/// source  elf(5), "Notes"; note type 3 (NT_GNU_BUILD_ID) of owner "GNU"
[[nodiscard]] Result<std::string> build_id_of(Bytes notes);

}  // namespace weir::node
