#pragma once

#include <cstddef>
#include <cstdint>

/// The newc format of cpio, as the kernel reads it (Documentation/driver-api/early-userspace).
namespace weir::images::cpio {

inline constexpr std::size_t kHeader = 110;  ///< bytes before the name
inline constexpr std::uint32_t kFolderBits = 0040000, kFileBits = 0100000, kLinkBits = 0120000,
                               kCharacterBits = 0020000, kBlockBits = 0060000,
                               kFifoBits = 0010000;  ///< of the mode

/// How many bytes of padding follow `size`.
constexpr std::size_t to_four(std::size_t size) {
  return (4 - size % 4) % 4;
}

}  // namespace weir::images::cpio
