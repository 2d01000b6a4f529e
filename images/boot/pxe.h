#pragma once

#include <string>
#include <string_view>

#include "manifests/base/result.h"

namespace weir::images {

inline constexpr std::string_view kPxeKernel = "vmlinuz", kPxeInitrd = "initrd.img";

/// An iPXE script that boots the kernel and the initrd that lie beside it on the server.
///
/// title          one line, for whoever watches the machine
/// command_line   for the kernel, one line; "initrd=" is added, which EFI kernels look for
/// errors         invalid_input: a character that iPXE would read as its own: $ " ' \ # ; | &
/// source         iPXE, ipxe.org/scripting
[[nodiscard]] Result<std::string> print_ipxe_script(std::string_view title,
                                                    std::string_view command_line);

}  // namespace weir::images
