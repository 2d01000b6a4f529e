#include "builder/mirror/package_index.h"

#include <lzma.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "builder/packages/control_file.h"

namespace weir::builder {
namespace {

Result<IndexedPackage> parse_entry(const Stanza& stanza) {
  TRY_ASSIGN(const auto name, stanza.need("Package"));
  TRY_ASSIGN(const auto version, stanza.need("Version"));
  TRY_ASSIGN(const auto architecture, stanza.need("Architecture"));
  TRY_ASSIGN(const auto path, stanza.need("Filename"));
  TRY_ASSIGN(const auto size_text, stanza.need("Size"));
  TRY_ASSIGN(const auto digest_text, stanza.need("SHA256"));
  std::uint64_t size = 0;
  const char* end = size_text.data() + size_text.size();
  const auto [rest, error] = std::from_chars(size_text.data(), end, size);
  const std::string where = "line " + std::to_string(stanza.line()) + ": " + std::string(name);
  if (error != std::errc{} || rest != end) {
    return fail(Errc::invalid_input, where + ": Size is not a number");
  }
  TRY_ASSIGN_IN(const auto digest, Digest::parse(digest_text), where + ": SHA256");
  return IndexedPackage{name, version, architecture, path, ByteCount{size}, digest};
}

}  // namespace

Result<PackageIndex> PackageIndex::parse(std::string text, std::string suite, bool not_automatic) {
  PackageIndex out;
  out.text_ = std::make_unique<const std::string>(std::move(text));
  out.suite_ = std::move(suite);
  out.not_automatic_ = not_automatic;
  StanzaReader reader(*out.text_);
  for (;;) {
    TRY_ASSIGN(const auto stanza, reader.next());
    if (!stanza) break;
    TRY_ASSIGN(const auto entry, parse_entry(*stanza));
    out.packages_.push_back(entry);
  }
  std::stable_sort(out.packages_.begin(), out.packages_.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto group = out.packages_.begin(); group != out.packages_.end();) {
    const auto end = std::find_if(group, out.packages_.end(),
                                  [&](const auto& p) { return p.name != group->name; });
    for (auto a = group; a != end; ++a) {
      for (auto b = std::next(a); b != end; ++b) {
        if (a->version == b->version && a->architecture == b->architecture) {
          return fail(Errc::invalid_input, "'" + std::string(a->name) + "' version " +
                                               std::string(a->version) + " stands here twice");
        }
      }
    }
    group = end;
  }
  return out;
}

std::pair<const IndexedPackage*, const IndexedPackage*> PackageIndex::named(
    std::string_view name) const {
  const auto first = std::lower_bound(
      packages_.begin(), packages_.end(), name,
      [](const auto& package, std::string_view key) { return package.name < key; });
  const auto last = std::upper_bound(
      first, packages_.end(), name,
      [](std::string_view key, const auto& package) { return key < package.name; });
  const IndexedPackage* all = packages_.data();
  return {all + (first - packages_.begin()), all + (last - packages_.begin())};
}

Result<std::string> decode_xz(std::string_view packed, ByteCount limit) {
  constexpr std::uint64_t kMemory = 256ULL << 20;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kMemory, LZMA_CONCATENATED) != LZMA_OK) {
    return fail(Errc::exhausted, "no memory for the xz decoder");
  }
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> guard(&stream, lzma_end);
  stream.next_in = as_bytes(packed).data();
  stream.avail_in = packed.size();
  std::string out;
  std::array<std::uint8_t, 65536> piece;
  for (;;) {
    stream.next_out = piece.data();
    stream.avail_out = piece.size();
    const lzma_ret code = lzma_code(&stream, LZMA_FINISH);
    const std::size_t made = piece.size() - stream.avail_out;
    if (out.size() + made > limit.value) {
      return fail(Errc::exhausted, "unpacks to more than " + print(limit));
    }
    out.append(reinterpret_cast<const char*>(piece.data()), made);
    if (code == LZMA_STREAM_END) return out;
    if (code == LZMA_MEMLIMIT_ERROR) {
      return fail(Errc::exhausted, "needs more than 256 MiB to unpack");
    }
    if (code != LZMA_OK) return fail(Errc::integrity, "is not a whole and sound xz file");
  }
}

}  // namespace weir::builder
