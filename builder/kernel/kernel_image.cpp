#include "builder/kernel/kernel_image.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "builder/kernel/arm64_image.h"
#include "images/formats/decompress.h"
#include "images/formats/elf.h"

namespace weir::builder {
namespace {

constexpr ByteCount kUnpacked{512ULL << 20};

// Offsets into the boot header (boot.rst, "The Real-Mode Kernel Header").
constexpr std::size_t kSetupSectors = 0x1f1, kMagic = 0x202, kProtocol = 0x206, kVersion = 0x20e,
                      kPayloadOffset = 0x248, kPayloadLength = 0x24c, kHeaderEnd = 0x250;

template <class T>
T read(Bytes bytes, std::size_t at) {
  T out;
  std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}

tl::unexpected<Error> refuse(std::string_view why) {
  return fail(Errc::invalid_input, "kernel image: " + std::string(why));
}

// "6.1.0-56-cloud-amd64 (builder) #1 SMP ...", of which the first word is the release.
Result<std::string> release_of(Bytes bytes) {
  const std::size_t at = std::size_t{read<std::uint16_t>(bytes, kVersion)} + 0x200;
  if (at == 0x200 || at >= bytes.size()) return refuse("it does not state its version");
  const Bytes rest = bytes.subspan(at, std::min<std::size_t>(bytes.size() - at, 128));
  const auto end = std::find_if(rest.begin(), rest.end(), [](auto c) { return c <= ' '; });
  if (end == rest.begin() || end == rest.end()) return refuse("it does not state its version");
  return std::string(rest.begin(), end);
}

Result<Bytes> payload_of(Bytes bytes) {
  const std::uint8_t stated = bytes[kSetupSectors];
  const std::uint64_t base = (std::uint64_t{stated == 0 ? std::uint8_t{4} : stated} + 1) * 512;
  const std::uint64_t at = base + read<std::uint32_t>(bytes, kPayloadOffset);
  const std::uint64_t size = read<std::uint32_t>(bytes, kPayloadLength);
  if (size < 8 || at > bytes.size() || size > bytes.size() - at)
    return refuse("its payload is cut");
  return bytes.subspan(at, size);
}

// What `make install` on arm64 puts into /boot.
bool is_gzip(Bytes bytes) {
  return bytes.size() > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

// "MZ", two bytes, "zimg": a program that unpacks an Image (drivers/firmware/efi/libstub/zboot).
bool is_zboot(Bytes bytes) {
  return bytes.size() > 8 && std::memcmp(bytes.data(), "MZ", 2) == 0 &&
         std::memcmp(bytes.data() + 4, "zimg", 4) == 0;
}

Result<KernelImage> parse_bzimage(Bytes bytes) {
  if (bytes.size() < kHeaderEnd || std::memcmp(bytes.data() + kMagic, "HdrS", 4) != 0 ||
      read<std::uint16_t>(bytes, kProtocol) < 0x208) {
    return refuse("not a bzImage of boot protocol 2.08 or newer, nor an arm64 Image");
  }
  KernelImage out;
  TRY_ASSIGN(out.release, release_of(bytes));
  TRY_ASSIGN(const Bytes payload, payload_of(bytes));
  // The last four bytes are the unpacked size.
  const Bytes packed = payload.first(payload.size() - 4);
  const ByteCount stated{read<std::uint32_t>(payload, packed.size())};
  if (stated.value > kUnpacked.value) return refuse("it unpacks to more than " + print(kUnpacked));
  TRY_ASSIGN_IN(out.vmlinux, images::decompress_exactly(packed, stated), "kernel image");
  TRY_ASSIGN_IN(const images::Elf elf, images::parse_elf(out.vmlinux), "kernel image");
  if (elf.build_id.size() != 40) return refuse("it has no GNU build id");
  out.build_id = elf.build_id;
  return out;
}

}  // namespace

Result<KernelImage> parse_kernel_image(Bytes bytes) {
  if (is_arm64_image(bytes)) return parse_arm64_image(bytes);
  if (is_zboot(bytes)) {
    return refuse(
        "unpacks itself (CONFIG_EFI_ZBOOT), which is not read here: take a kernel whose "
        "package has an Image");
  }
  if (!is_gzip(bytes)) return parse_bzimage(bytes);
  TRY_ASSIGN_IN(const auto image, images::decompress(bytes, kUnpacked), "kernel image");
  return parse_arm64_image(image);
}

bool accepts_vermagic(const KernelImage& kernel, std::string_view vermagic) {
  // Compared as a C string in include/linux/vermagic.h's `vermagic`, so the NUL bytes around it
  // count.
  if (vermagic.empty()) return false;
  const std::string text = std::string(vermagic) + '\0';
  const auto& image = kernel.vmlinux;
  const std::boyer_moore_horspool_searcher searcher(text.begin(), text.end());
  for (auto at = image.begin();;) {
    at = std::search(at, image.end(), searcher);
    if (at == image.end()) return false;
    if (at == image.begin() || *(at - 1) == 0) return true;
    ++at;
  }
}

}  // namespace weir::builder
