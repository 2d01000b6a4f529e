#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace weir::test {

/// The smallest "kernel" QEMU boots: a Linux boot sector and setup (x86 boot protocol 2.02, kernel
/// source Documentation/arch/x86/boot.rst) whose 16-bit setup code writes `text` to the first
/// serial port and halts.
inline std::string tiny_kernel(const std::string& text) {
  constexpr std::uint8_t kCode[] = {0x8c, 0xc8, 0x8e, 0xd8,  // mov ax, cs; mov ds, ax
                                    0xbe, 0xa0, 0x00,        // mov si, 0xa0
                                    0xac, 0x84, 0xc0, 0x74,
                                    0x06,                    // next: lodsb; test al, al; jz stop
                                    0xba, 0xf8, 0x03, 0xee,  // mov dx, 0x3f8; out dx, al
                                    0xeb, 0xf5,              // jmp next
                                    0xf4, 0xeb, 0xfd};       // stop: hlt; jmp stop
  std::string out(2048, '\0');
  const auto put = [&out](std::size_t at, const std::string& bytes) {
    std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0x1f1, "\x01");      // setup_sects
  put(0x1fe, "\x55\xaa");  // boot_flag
  put(0x200, "\xeb\x7e");  // jump to 0x280
  put(0x202, "HdrS");
  put(0x206, "\x02\x02");  // protocol 2.02
  put(0x211, "\x01");      // loadflags: LOADED_HIGH
  put(0x280, std::string(std::begin(kCode), std::end(kCode)));
  put(0x2a0, text);
  return out;
}

}  // namespace weir::test
