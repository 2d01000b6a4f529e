#include "builder/kernel/arm64_image.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "images/formats/byte_order.h"
#include "images/formats/elf.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

using images::get_little;

// Offsets in the image's header, and the magic "ARM\x64".
constexpr std::size_t kArmFlags = 24, kArmMagic = 56, kArmHeader = 64;
constexpr std::uint32_t kArmText = 0x644d5241;
constexpr std::uint64_t kBigEndian = 1;

tl::unexpected<Error> bad_image(std::string_view why) {
  return fail(Errc::invalid_input, "kernel image: " + std::string(why));
}

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<std::string> banner_release(Bytes image) {
  constexpr std::string_view kBanner = "Linux version ";
  const std::string_view all = as_text(image);
  std::string out;
  for (auto at = all.find(kBanner); at != all.npos; at = all.find(kBanner, at + 1)) {
    const std::string_view rest = all.substr(at + kBanner.size(), 128);
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (word.size() == rest.size() || word.empty() || !is_digit(word.front())) continue;
    if (!out.empty() && out != word) return bad_image("it states two versions");
    out = word;
  }
  if (out.empty()) return bad_image("it does not state its version");
  return out;
}

/// A program within the kernel, such as the vDSO: from where to where.
using Extent = std::pair<std::size_t, std::size_t>;

// Without an extent where it is only the magic, as in the code that looks for it.
template <class Header>
std::optional<Extent> extent_at(Bytes image, std::size_t at, unsigned char size) {
  Header header;
  if (image.size() - at < sizeof header) return std::nullopt;
  std::memcpy(&header, image.data() + at, sizeof header);
  if (header.e_ident[EI_CLASS] != size) return std::nullopt;
  if (header.e_version != EV_CURRENT || header.e_ehsize != sizeof header) return std::nullopt;
  const std::uint64_t end =
      std::uint64_t{header.e_shoff} + std::uint64_t{header.e_shentsize} * header.e_shnum;
  return Extent{at, at + static_cast<std::size_t>(std::min<std::uint64_t>(end, image.size() - at))};
}

std::vector<Extent> programs_in(Bytes image) {
  constexpr std::string_view kStart(ELFMAG, SELFMAG);
  const std::string_view all = as_text(image);
  std::vector<Extent> out;
  for (auto at = all.find(kStart); at != all.npos; at = all.find(kStart, at + 1)) {
    // The vDSO's for programs of 32 bits is of 32 bits.
    for (const auto& one : {extent_at<Elf64_Ehdr>(image, at, ELFCLASS64),
                            extent_at<Elf32_Ehdr>(image, at, ELFCLASS32)}) {
      if (one) out.push_back(*one);
    }
  }
  return out;
}

Result<std::string> own_build_id(Bytes image) {
  // Four bytes of name, twenty of id, of the kind NT_GNU_BUILD_ID.
  constexpr std::string_view kNote("\4\0\0\0\24\0\0\0\3\0\0\0GNU\0", 16);
  const auto programs = programs_in(image);
  const std::string_view all = as_text(image);
  std::string out;
  for (auto at = all.find(kNote); at != all.npos; at = all.find(kNote, at + 1)) {
    const bool within = std::any_of(programs.begin(), programs.end(), [&](const Extent& one) {
      return at >= one.first && at < one.second;
    });
    if (within) continue;
    TRY_ASSIGN(std::string id, images::build_id_in(image.subspan(at)));
    if (!out.empty() && out != id) return bad_image("it has two GNU build ids");
    out = std::move(id);
  }
  if (out.empty()) return bad_image("it has no GNU build id");
  return out;
}

}  // namespace

bool is_arm64_image(Bytes bytes) {
  return bytes.size() >= kArmHeader && get_little<std::uint32_t>(bytes, kArmMagic) == kArmText;
}

Result<KernelImage> parse_arm64_image(Bytes bytes) {
  if (!is_arm64_image(bytes)) return bad_image("not an arm64 Image");
  if ((get_little<std::uint64_t>(bytes, kArmFlags) & kBigEndian) != 0)
    return bad_image("big endian");
  KernelImage out;
  TRY_ASSIGN(out.release, banner_release(bytes));
  TRY_ASSIGN(out.build_id, own_build_id(bytes));
  out.vmlinux.assign(bytes.begin(), bytes.end());
  return out;
}

}  // namespace weir::builder
