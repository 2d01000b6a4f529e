#include "deployer/pool/vm/trial_guest.h"

#include <algorithm>
#include <cstdint>

namespace weir::pool {
namespace {

constexpr std::size_t kSize = 0x10000;  // mapped below 4 GiB: 0xffff0000..0xffffffff

// Where the parts lie in the firmware; the jumps below hold these numbers.
constexpr std::size_t kTables = 0xff40;
constexpr std::size_t kCode = 0xff70;
constexpr std::size_t kReset = 0xfff0;  // the processor's first instruction

// Segment descriptors, then the GDT register's limit and address (0xffffff40).
constexpr std::uint8_t kTableBytes[] = {
    0,    0,    0,    0,    0,    0,    0,    0,     // 0x00 null
    0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xcf, 0x00,  // 0x08 32-bit code
    0xff, 0xff, 0x00, 0x00, 0x00, 0x92, 0xcf, 0x00,  // 0x10 data
    0xff, 0xff, 0x00, 0x00, 0x00, 0x9a, 0xaf, 0x00,  // 0x18 64-bit code
    0x1f, 0x00, 0x40, 0xff, 0xff, 0xff};

constexpr std::uint8_t kCodeBytes[] = {
    0xfa,                                            // cli
    0x2e, 0x66, 0x0f, 0x01, 0x16, 0x60, 0xff,        // lgdt cs:[0xff60]
    0x0f, 0x20, 0xc0,                                // mov eax, cr0
    0x0c, 0x01,                                      // or al, 1        protected mode
    0x0f, 0x22, 0xc0,                                // mov cr0, eax
    0x66, 0xea, 0x88, 0xff, 0xff, 0xff, 0x08, 0x00,  // jmp 0x08:0xffffff88
    0x66, 0xb8, 0x10, 0x00,                          // mov ax, 0x10
    0x8e, 0xd8,                                      // mov ds, ax
    // Page tables: the last 2 MiB below 4 GiB, where this code lies, onto themselves.
    0xc7, 0x05, 0x00, 0x10, 0, 0, 0x03, 0x20, 0, 0,        // mov dword [0x1000], 0x2003
    0xc7, 0x05, 0x18, 0x20, 0, 0, 0x03, 0x30, 0, 0,        // mov dword [0x2018], 0x3003
    0xc7, 0x05, 0xf8, 0x3f, 0, 0, 0x83, 0x00, 0xe0, 0xff,  // mov dword [0x3ff8], 0xffe00083
    0xb8, 0x20, 0, 0, 0,                                   // mov eax, 1 << 5
    0x0f, 0x22, 0xe0,                                      // mov cr4, eax    PAE
    0xb8, 0x00, 0x10, 0, 0,                                // mov eax, 0x1000
    0x0f, 0x22, 0xd8,                                      // mov cr3, eax
    0xb9, 0x80, 0x00, 0x00, 0xc0,                          // mov ecx, 0xc0000080
    0x0f, 0x32,                                            // rdmsr           EFER
    0x0f, 0xba, 0xe8, 0x08,                                // bts eax, 8      long mode
    0x0f, 0x30,                                            // wrmsr
    0x0f, 0x20, 0xc0,                                      // mov eax, cr0
    0x0f, 0xba, 0xe8, 0x1f,                                // bts eax, 31     paging
    0x0f, 0x22, 0xc0,                                      // mov cr0, eax
    0xea, 0xda, 0xff, 0xff, 0xff, 0x18, 0x00,              // jmp 0x18:0xffffffda
    0xb0, 0x10,                                            // mov al, 0x10
    0xe6, 0xf4,                                            // out 0xf4, al
    0xf4};                                                 // hlt

constexpr std::uint8_t kResetBytes[] = {0xe9, 0x7d, 0xff};  // jmp 0xff70

static_assert(kTables + sizeof(kTableBytes) <= kCode && kCode + sizeof(kCodeBytes) <= kReset);

}  // namespace

std::string trial_firmware() {
  std::string out(kSize, '\xf4');
  const auto put = [&out](std::size_t at, const auto& bytes) {
    std::copy(std::begin(bytes), std::end(bytes), out.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(kTables, kTableBytes);
  put(kCode, kCodeBytes);
  put(kReset, kResetBytes);
  return out;
}

}  // namespace weir::pool
