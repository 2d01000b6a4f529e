#include "images/formats/cpio_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "images/formats/cpio_layout.h"

namespace weir::images {
namespace {

constexpr std::size_t kMostEntries = 100'000, kMostName = 4096;
constexpr std::uint32_t kKind = 0170000;

// The thirteen numbers of a header, in order.
enum Field : std::uint8_t {
  kInode,
  kMode,
  kUid,
  kGid,
  kLinks,
  kTime,
  kSize,
  kMajor,
  kMinor,
  kDeviceMajor,
  kDeviceMinor,
  kNameSize,
  kCheck
};
using Fields = std::array<std::uint32_t, 13>;

std::optional<std::uint32_t> hex8(Bytes text) {
  std::uint32_t out = 0;
  for (const std::uint8_t c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    out = out << 4 | static_cast<std::uint32_t>(digit);
  }
  return out;
}

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  Result<Bytes> take(std::size_t size) {
    if (size > bytes_.size() - at_) return fail(Errc::invalid_input, "cpio: cut");
    const Bytes out = bytes_.subspan(at_, size);
    at_ += size;
    return out;
  }
  // A part that is padded to four bytes from the archive's beginning.
  Result<Bytes> take_padded(std::size_t size) {
    TRY_ASSIGN(const Bytes out, take(size));
    TRY(take(std::min(cpio::to_four(at_), bytes_.size() - at_)));
    return out;
  }
  [[nodiscard]] bool only_zeros_left() const {
    return std::all_of(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), bytes_.end(),
                       [](std::uint8_t byte) { return byte == 0; });
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

Result<Fields> read_header(Reader& reader) {
  TRY_ASSIGN(const Bytes header, reader.take(cpio::kHeader));
  constexpr std::string_view kMagic = "070701";
  Fields out{};
  bool well = std::equal(kMagic.begin(), kMagic.end(), header.begin());
  for (std::size_t i = 0; i < out.size() && well; ++i) {
    const auto value = hex8(header.subspan(kMagic.size() + 8 * i, 8));
    well = value.has_value();
    out[i] = value.value_or(0);
  }
  if (!well) return fail(Errc::invalid_input, "cpio: not a \"newc\" header");
  return out;
}

Result<Node> node_of(const Fields& fields, Bytes body) {
  Node node{fields[kMode] & 07777U, fields[kUid], fields[kGid], fields[kTime], Folder{}};
  const std::uint32_t kind = fields[kMode] & kKind;
  if (kind == cpio::kFileBits) {
    if (fields[kLinks] > 1) return fail(Errc::invalid_input, "a hard link");
    node.what = File{std::make_shared<const std::vector<std::uint8_t>>(body.begin(), body.end())};
    return node;
  }
  if (kind == cpio::kLinkBits) {
    std::string target(body.begin(), body.end());
    if (target.empty() || target.size() > kMostName || target.find('\0') != std::string::npos) {
      return fail(Errc::invalid_input, "a symbolic link without a usable target");
    }
    node.what = Symlink{std::move(target)};
    return node;
  }
  if (!body.empty()) return fail(Errc::invalid_input, "content where there can be none");
  if (kind == cpio::kFolderBits) return node;
  if (kind == cpio::kFifoBits) {
    node.what = Fifo{};
    return node;
  }
  if (kind == cpio::kCharacterBits || kind == cpio::kBlockBits) {
    node.what = Device{kind == cpio::kBlockBits, fields[kDeviceMajor], fields[kDeviceMinor]};
    return node;
  }
  return fail(Errc::invalid_input, "a kind of file that images do not have");
}

}  // namespace

Result<FileTree> decode_cpio(Bytes bytes) {
  Reader reader(bytes);
  FileTree out;
  for (std::size_t count = 0;; ++count) {
    if (count > kMostEntries) return fail(Errc::exhausted, "cpio: more than 100000 entries");
    TRY_ASSIGN(const Fields fields, read_header(reader));
    if (fields[kNameSize] == 0 || fields[kNameSize] > kMostName) {
      return fail(Errc::invalid_input,
                  "cpio: a name of " + std::to_string(fields[kNameSize]) + " bytes");
    }
    TRY_ASSIGN(const Bytes name_bytes, reader.take_padded(fields[kNameSize]));
    const std::string_view name(reinterpret_cast<const char*>(name_bytes.data()),
                                name_bytes.size() - 1);
    if (name_bytes.back() != 0) return fail(Errc::invalid_input, "cpio: a name without an end");
    if (name == "TRAILER!!!") break;
    TRY_ASSIGN_IN(const ImagePath path, ImagePath::parse(name), "cpio");
    const std::string where = "cpio: /" + path.string();
    TRY_ASSIGN_IN(const Bytes body, reader.take_padded(fields[kSize]), where);
    TRY_ASSIGN_IN(Node node, node_of(fields, body), where);
    if (path.is_root()) return fail(Errc::invalid_input, "cpio: the root itself as an entry");
    if (!path.parent().is_root() && out.find(path.parent()) == nullptr) {
      return fail(Errc::invalid_input, where + ": comes before its folder");
    }
    if (out.find(path) != nullptr) return fail(Errc::invalid_input, where + ": is there twice");
    TRY_IN(out.put(path, std::move(node)), "cpio");
  }
  if (!reader.only_zeros_left()) {
    return fail(Errc::invalid_input, "cpio: something follows the trailer");
  }
  return out;
}

}  // namespace weir::images
