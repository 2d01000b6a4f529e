#include "images/formats/cpio.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "images/formats/cpio_layout.h"

namespace weir::images {
namespace {

constexpr std::string_view kTrailer = "TRAILER!!!";

struct Header {
  std::uint32_t mode = 0, uid = 0, gid = 0, links = 1, mtime = 0;
  std::uint32_t size = 0, major = 0, minor = 0;
};

std::string print(const Header& header, std::string_view name) {
  std::array<char, cpio::kHeader + 1> text{};
  std::snprintf(text.data(), text.size(),
                "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 0U, header.mode,
                header.uid, header.gid, header.links, header.mtime, header.size, 0U, 0U,
                header.major, header.minor, static_cast<unsigned>(name.size() + 1), 0U);
  std::string out(text.data(), cpio::kHeader);
  out += name;
  out.append(1 + cpio::to_four(cpio::kHeader + name.size() + 1), '\0');
  return out;
}

Bytes body_of(const Node& node) {
  if (const File* file = node.file()) return *file->content;
  if (const Symlink* link = node.symlink()) return as_bytes(link->target);
  return {};
}

Header header_of(const Node& node, std::int64_t epoch) {
  Header header;
  header.mode = node.mode;
  header.uid = node.uid;
  header.gid = node.gid;
  header.mtime = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(std::min(node.mtime, epoch), 0, UINT32_MAX));
  header.size = static_cast<std::uint32_t>(body_of(node).size());
  if (node.is_folder()) {
    header.mode |= cpio::kFolderBits;
    header.links = 2;
  } else if (const Device* device = node.device()) {
    header.mode |= device->block ? cpio::kBlockBits : cpio::kCharacterBits;
    header.major = device->major;
    header.minor = device->minor;
  } else if (node.is_fifo()) {
    header.mode |= cpio::kFifoBits;
  } else {
    header.mode |= node.symlink() != nullptr ? cpio::kLinkBits : cpio::kFileBits;
  }
  return header;
}

}  // namespace

ByteCount cpio_size(const FileTree& tree) {
  const auto entry = [](std::size_t name, std::size_t body) {
    const std::size_t head = cpio::kHeader + name + 1;
    return head + cpio::to_four(head) + body + cpio::to_four(body);
  };
  std::size_t size = entry(kTrailer.size(), 0);
  for (const auto& [path, node] : tree.nodes()) {
    size += entry(path.string().size(), body_of(node).size());
  }
  return ByteCount{size};
}

Status encode_cpio(const FileTree& tree, std::int64_t epoch,
                   const std::function<Status(Bytes)>& sink) {
  constexpr std::array<std::uint8_t, 3> zeros{};
  for (const auto& [path, node] : tree.nodes()) {
    const Bytes body = body_of(node);
    if (body.size() > UINT32_MAX) {
      return fail(Errc::invalid_input, "/" + path.string() + ": 4 GiB or more");
    }
    TRY(sink(as_bytes(print(header_of(node, epoch), path.string()))));
    TRY(sink(body));
    TRY(sink(Bytes(zeros.data(), cpio::to_four(body.size()))));
  }
  return sink(as_bytes(print(Header{}, kTrailer)));
}

}  // namespace weir::images
