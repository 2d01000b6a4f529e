#include "images/boot/uki.h"

#include "images/formats/byte_order.h"
#include "images/formats/pe.h"

namespace weir::images {
namespace {

constexpr std::uint16_t kArm64 = 0xaa64;  ///< IMAGE_FILE_MACHINE_ARM64

// Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202, boot protocol 2.12 or newer for
// xloadflags; Documentation/arch/arm64/booting.rst: "ARM\x64" at 56.
bool is_kernel_for(std::uint16_t machine, Bytes kernel) {
  constexpr std::size_t kX86Magic = 0x202, kArmMagic = 56, kEnd = 0x268;
  if (kernel.size() < kEnd) return false;
  return machine == kArm64 ? get_little<std::uint32_t>(kernel, kArmMagic) == 0x644d5241
                           : get_little<std::uint32_t>(kernel, kX86Magic) == 0x53726448;
}

// A kernel with an EFI stub is a PE program besides.
Status check_kernel(Bytes stub, Bytes kernel) {
  TRY_ASSIGN_IN(const std::uint16_t machine, pe_machine(stub), "EFI stub");
  if (!is_kernel_for(machine, kernel)) {
    return fail(Errc::invalid_input, machine == kArm64
                                         ? "kernel: not an arm64 Image, as the EFI stub needs"
                                         : "kernel: not a bzImage");
  }
  if (kernel[0] != 'M' || kernel[1] != 'Z') {
    return fail(Errc::invalid_input, "kernel: has no EFI stub, so UEFI cannot start it");
  }
  TRY_ASSIGN_IN(const std::uint16_t own, pe_machine(kernel), "kernel");
  if (own == machine) return {};
  return fail(Errc::invalid_input, "kernel: is for another machine than the EFI stub");
}

}  // namespace

Result<std::vector<std::uint8_t>> encode_uki(Bytes stub, const UkiParts& parts) {
  TRY(check_kernel(stub, parts.kernel));
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
