#include "images/boot/pxe.h"

#include <algorithm>

namespace weir::images {

Result<std::string> print_ipxe_script(std::string_view title, std::string_view command_line) {
  const auto strange = std::find_if(command_line.begin(), command_line.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 ||
           std::string_view("$\"'\\#;|&").find(c) != std::string_view::npos;
  });
  if (strange != command_line.end()) {
    return fail(Errc::invalid_input, "command_line: iPXE would read the character '" +
                                         std::string(1, *strange) +
                                         "' as its own: leave it out, or export another format");
  }
  const std::string kernel(kPxeKernel), initrd(kPxeInitrd);
  return "#!ipxe\necho " + std::string(title) + "\nkernel " + kernel + " initrd=" + initrd +
         (command_line.empty() ? "" : " ") + std::string(command_line) + "\ninitrd " + initrd +
         "\nboot\n";
}

}  // namespace weir::images
