#include "images/boot/uki.h"

#include "images/formats/byte_order.h"
#include "images/formats/pe.h"

namespace weir::images {
namespace {

// Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202, boot protocol 2.12 or newer for
// xloadflags. A kernel with an EFI stub is a PE program besides.
Status check_kernel(Bytes kernel) {
  constexpr std::size_t kMagic = 0x202, kEnd = 0x268;
  if (kernel.size() < kEnd || get_little<std::uint32_t>(kernel, kMagic) != 0x53726448) {
    return fail(Errc::invalid_input, "kernel: not a bzImage");
  }
  if (kernel[0] != 'M' || kernel[1] != 'Z') {
    return fail(Errc::invalid_input, "kernel: has no EFI stub, so UEFI cannot start it");
  }
  return {};
}

}  // namespace

Result<std::vector<std::uint8_t>> encode_uki(Bytes stub, const UkiParts& parts) {
  TRY(check_kernel(parts.kernel));
  std::vector<PeSection> sections;
  const auto text = [&sections](const char* name, const std::string& content) {
    if (!content.empty()) sections.push_back({name, as_bytes(content)});
  };
  text(".osrel", parts.os_release);
  text(".cmdline", parts.command_line);
  text(".uname", parts.kernel_name);
  if (!parts.initrd.empty()) sections.push_back({".initrd", parts.initrd});
  sections.push_back({".linux", parts.kernel});
  TRY_ASSIGN_IN(auto out, add_pe_sections(stub, sections), "UKI");
  return out;
}

}  // namespace weir::images
