#include "images/formats/tar.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace weir::images {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint32_t kLargestId = 07777777;

constexpr std::size_t to_block(std::size_t size) {
  return (kBlock - size % kBlock) % kBlock;
}

struct Entry {
  std::string name;  // of a folder with a '/' behind it
  std::string target;
  char kind = '0';
  std::uint32_t mode = 0, uid = 0, gid = 0;
  std::uint64_t size = 0, time = 0;
};

void put(std::string& block, std::size_t at, std::string_view text) {
  block.replace(at, text.size(), text);
}

// `width` bytes with the NUL that ends them.
void put_octal(std::string& block, std::size_t at, std::size_t width, std::uint64_t value) {
  std::array<char, 24> text{};
  const int length = std::snprintf(text.data(), text.size(), "%0*llo", static_cast<int>(width - 1),
                                   static_cast<unsigned long long>(value));
  put(block, at, std::string_view(text.data(), static_cast<std::size_t>(length)));
}

std::string header_of(const Entry& entry) {
  constexpr std::size_t kCheckAt = 148;
  std::string out(kBlock, '\0');
  put(out, 0, std::string_view(entry.name).substr(0, 100));
  put_octal(out, 100, 8, entry.mode);
  put_octal(out, 108, 8, entry.uid);
  put_octal(out, 116, 8, entry.gid);
  put_octal(out, 124, 12, entry.size);
  put_octal(out, 136, 12, entry.time);
  put(out, kCheckAt, "        ");
  out[156] = entry.kind;
  put(out, 157, std::string_view(entry.target).substr(0, 100));
  put(out, 257, std::string_view("ustar\00000", 8));
  put_octal(out, 329, 8, 0);
  put_octal(out, 337, 8, 0);
  unsigned sum = 0;
  for (const char c : out) sum += static_cast<unsigned char>(c);
  put_octal(out, kCheckAt, 7, sum);
  out[kCheckAt + 6] = '\0';
  return out;
}

// "LENGTH key=value\n", where LENGTH counts itself.
std::string record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  std::size_t size = rest.size() + 1;
  while (std::to_string(size).size() + rest.size() != size) {
    size = std::to_string(size).size() + rest.size();
  }
  return std::to_string(size) + rest;
}

Status write(const Entry& entry, Bytes body, const std::function<Status(Bytes)>& sink) {
  constexpr std::array<std::uint8_t, kBlock> zeros{};
  const auto padded = [&](Bytes bytes) -> Status {
    TRY(sink(bytes));
    return sink(Bytes(zeros.data(), to_block(bytes.size())));
  };
  std::string longer;
  if (entry.name.size() > 100) longer += record("path", entry.name);
  if (entry.target.size() > 100) longer += record("linkpath", entry.target);
  if (!longer.empty()) {
    Entry extended;
    extended.name = "pax";
    extended.kind = 'x';
    extended.mode = 0644;
    extended.size = longer.size();
    extended.time = entry.time;
    TRY(sink(as_bytes(header_of(extended))));
    TRY(padded(as_bytes(longer)));
  }
  TRY(sink(as_bytes(header_of(entry))));
  return body.empty() ? Status() : padded(body);
}

Status check(const ImagePath& path, const Node& node) {
  const auto refuse = [&](const char* why) {
    return fail(Errc::invalid_input, "tar: /" + path.string() + ": " + why);
  };
  if (path.name().starts_with(".wh.")) return refuse("container images read it as a deletion");
  if (node.uid > kLargestId || node.gid > kLargestId) return refuse("an owner over 2097151");
  if (node.file() != nullptr && node.file()->content->size() >= 1ULL << 33) {
    return refuse("8 GiB or more");
  }
  return {};
}

}  // namespace

Status encode_tar(const FileTree& tree, const std::function<Status(Bytes)>& sink) {
  for (const auto& [path, node] : tree.nodes()) {
    if (node.device() != nullptr) continue;
    TRY(check(path, node));
    Entry entry;
    entry.name = path.string();
    entry.mode = node.mode;
    entry.uid = node.uid;
    entry.gid = node.gid;
    entry.time = static_cast<std::uint64_t>(std::clamp<std::int64_t>(node.mtime, 0, UINT32_MAX));
    Bytes body;
    if (const File* file = node.file()) {
      body = *file->content;
      entry.size = body.size();
    } else if (const Symlink* link = node.symlink()) {
      entry.kind = '2';
      entry.target = link->target;
    } else if (node.is_fifo()) {
      entry.kind = '6';
    } else {
      entry.kind = '5';
      entry.name += '/';
    }
    TRY(write(entry, body, sink));
  }
  constexpr std::array<std::uint8_t, 2 * kBlock> end{};
  return sink(Bytes(end));
}

}  // namespace weir::images
