// Packages; and bare archives, of which one is made: with the sums of their headers set right, so
// that what was changed is read.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "images/formats/cpio.h"
#include "images/formats/deb.h"
#include "images/formats/tar.h"
#include "images/tree/merged_usr.h"
#include "tests/fuzz/property.h"

namespace {

using namespace weir;

constexpr images::DebLimits kLimits{.entries = 1000,
                                    .file = ByteCount{1 << 20},
                                    .data = ByteCount{4 << 20},
                                    .control = ByteCount{1 << 20}};

// POSIX ustar: the sum of a header's bytes, in which the sum itself counts as spaces.
std::string with_sums(Bytes tar) {
  constexpr std::size_t kBlock = 512, kSum = 148, kSumSize = 8, kMagic = 257;
  std::string out(reinterpret_cast<const char*>(tar.data()), tar.size());
  for (std::size_t at = 0; at + kBlock <= out.size(); at += kBlock) {
    if (out.compare(at + kMagic, 5, "ustar") != 0) continue;
    out.replace(at + kSum, kSumSize, kSumSize, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(out[at + i]);
    char text[kSumSize];
    std::snprintf(text, sizeof text, "%06o", sum);
    out.replace(at + kSum, kSumSize - 1, text, kSumSize - 1);
  }
  return out;
}

std::string member(const std::string& name, const std::string& bytes) {
  char header[61];
  std::snprintf(header, sizeof header, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name.c_str(), 0, 0, 0,
                "100644", bytes.size());
  return header + bytes + (bytes.size() % 2 != 0 ? "\n" : "");
}

const std::string& control() {
  static const std::string made = [] {
    images::FileTree tree;
    (void)tree.put(*images::ImagePath::parse("control"),
                   {0644, 0, 0, 0, images::File{images::content_of("Package: demo\n")}});
    std::string out;
    (void)images::encode_tar(tree, [&](Bytes bytes) -> Status {
      out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return {};
    });
    return out;
  }();
  return made;
}

std::string package_of(Bytes tar) {
  return "!<arch>\n" + member("debian-binary", "2.0\n") + member("control.tar", control()) +
         member("data.tar", with_sums(tar));
}

void check(const images::FileTree& files) {
  std::uint64_t held = 0;
  for (const auto& [_, node] : files.nodes()) {
    if (const images::File* file = node.file()) held += file->content->size();
  }
  MUST_HOLD(held <= kLimits.data.value);
  const auto tree = images::merge_usr(files);
  if (!tree) return;
  for (const auto& [path, node] : tree->nodes()) {
    MUST_HOLD(!path.is_root() && path.string().front() != '/');
    MUST_HOLD(("/" + path.string() + "/").find("/../") == std::string::npos);
    const images::Node* parent = tree->find(path.parent());
    MUST_HOLD(path.parent().is_root() || (parent != nullptr && parent->is_folder()));
    for (const std::string_view folder : images::kMergedFolders) {
      MUST_HOLD(!path.is_within(folder));
    }
  }
  std::size_t written = 0;
  const Status encoded = images::encode_cpio(*tree, 1, [&](Bytes bytes) -> Status {
    written += bytes.size();
    return {};
  });
  MUST_HOLD(encoded.has_value() && written == images::cpio_size(*tree).value && written % 4 == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kPackage = "!<arch>\n";
  Bytes bytes(data, size);
  std::string made;
  const bool bare = size < kPackage.size() || !std::equal(kPackage.begin(), kPackage.end(), data);
  if (bare) {
    made = package_of(bytes);
    bytes = as_bytes(made);
  }
  const auto deb = images::read_deb(bytes, kLimits, [](const images::ImagePath&) { return true; });
  if (!deb) {
    MUST_HOLD(!deb.error().message.empty());
    // What is put around an archive is never what is wrong.
    MUST_HOLD(!bare || deb.error().message.starts_with("data.tar: "));
    return 0;
  }
  MUST_HOLD(deb->control.contains("control"));
  check(deb->files);
  return 0;
}
