#include "images/formats/deb.h"

#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "images/formats/archive.h"
#include "images/formats/xz_stream.h"

namespace weir::images {
namespace {

constexpr std::size_t kControlFile = 4U << 20;
// The largest that tar's own fields hold, which exports state it in (POSIX ustar: seven digits).
constexpr la_int64_t kLargestOwner = 07777777;

// The members of the outer archive, one after another.
class Members {
 public:
  static Result<Members> open(Bytes bytes) {
    ArchiveReader reader(archive_read_new());
    if (!reader) return no_memory();
    archive_read_support_format_ar(reader.get());
    if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
      return archive_failed(reader.get(), "not a Debian package");
    }
    return Members(std::move(reader));
  }

  // The next member's name; names that begin with '_' are for others (deb(5)).
  Result<std::string> next() {
    for (;;) {
      struct archive_entry* entry = nullptr;
      const int status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) return fail(Errc::invalid_input, "not a whole Debian package");
      if (status != ARCHIVE_OK) {
        return archive_failed(reader_.get(), "not a Debian package");
      }
      const char* name = archive_entry_pathname(entry);
      if (name == nullptr) return fail(Errc::invalid_input, "a member without a name");
      if (*name != '_') return std::string(name);
    }
  }

  // The current member's next bytes, empty at its end.
  Result<Bytes> piece() {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    for (;;) {
      const int status = archive_read_data_block(reader_.get(), &data, &size, &offset);
      if (status == ARCHIVE_EOF) return Bytes();
      if (status != ARCHIVE_OK) {
        return archive_failed(reader_.get(), "member cut");
      }
      if (size > 0) return Bytes(static_cast<const std::uint8_t*>(data), size);
    }
  }

 private:
  explicit Members(ArchiveReader reader) : reader_(std::move(reader)) {}
  ArchiveReader reader_;
};

// A tar inside a member, decompressed on the way, its bytes counted.
class Tar {
 public:
  Tar(Members& members, ByteCount limit) : members_(members), limit_(limit) {}
  Tar(const Tar&) = delete;
  Tar& operator=(const Tar&) = delete;

  /// Compressions of data.tar: bz2 and lzma are not control.tar's (deb(5)).
  enum class Member : std::uint8_t { control, data };

  Status open(std::string_view compression, Member member) {
    const bool is_data = member == Member::data;
    reader_.reset(archive_read_new());
    if (!reader_) return no_memory();
    archive_read_support_format_tar(reader_.get());
    archive_read_support_format_empty(reader_.get());
    if (compression == ".xz") {
      TRY_ASSIGN(XzStream stream, XzStream::open([this] { return members_.piece(); }));
      xz_.emplace(std::move(stream));
    } else if (compression == ".lzma" && is_data) {
      TRY_ASSIGN(XzStream stream,
                 XzStream::open([this] { return members_.piece(); }, XzStream::Format::lzma));
      xz_.emplace(std::move(stream));
    } else if (compression == ".bz2" && is_data) {
      archive_read_support_filter_bzip2(reader_.get());
    } else if (compression == ".gz") {
      archive_read_support_filter_gzip(reader_.get());
    } else if (compression == ".zst") {
      archive_read_support_filter_zstd(reader_.get());
    } else if (!compression.empty()) {
      return fail(Errc::invalid_input, "compression '" + std::string(compression) +
                                           "' is not known here (xz, zst, gz" +
                                           (is_data ? ", bz2, lzma)" : ")"));
    }
    if (archive_read_open(reader_.get(), this, nullptr, &Tar::pull, nullptr) != ARCHIVE_OK) {
      return failed();
    }
    return {};
  }

  // The next entry, or nullptr at the end.
  Result<struct archive_entry*> next() {
    struct archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader_.get(), &entry);
    TRY(within_limit());
    if (status == ARCHIVE_EOF) return nullptr;
    if (status != ARCHIVE_OK) return failed();
    return entry;
  }

  Result<std::vector<std::uint8_t>> content(struct archive_entry* entry, ByteCount limit) {
    const la_int64_t size = archive_entry_size(entry);
    if (size < 0 || static_cast<std::uint64_t>(size) > limit.value) {
      return fail(Errc::exhausted, "larger than " + print(limit));
    }
    std::vector<std::uint8_t> out;
    // What is stated and does not come costs address space, not memory.
    out.reserve(std::min<std::size_t>(static_cast<std::size_t>(size), 64U << 20));
    for (;;) {
      const void* data = nullptr;
      std::size_t got = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(reader_.get(), &data, &got, &offset);
      TRY(within_limit());
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) return failed();
      if (offset != static_cast<la_int64_t>(out.size())) {
        return fail(Errc::invalid_input, "a sparse file");
      }
      if (got > static_cast<std::size_t>(size) - out.size()) {
        return fail(Errc::invalid_input, "more bytes than stated");
      }
      const auto* first = static_cast<const std::uint8_t*>(data);
      out.insert(out.end(), first, first + got);
    }
    if (out.size() != static_cast<std::size_t>(size)) {
      return fail(Errc::invalid_input, "fewer bytes than stated");
    }
    return out;
  }

 private:
  static la_ssize_t pull(struct archive* handle, void* self, const void** out) {
    Tar& tar = *static_cast<Tar*>(self);
    auto piece = tar.xz_ ? tar.xz_->next() : tar.members_.piece();
    if (piece && tar.xz_) tar.unpacked_ += piece->size();
    if (!piece || tar.unpacked_ > tar.limit_.value) {
      if (!piece) tar.error_ = std::move(piece.error());
      archive_set_error(handle, EIO, "stopped");
      return -1;
    }
    *out = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

  Status within_limit() {
    const la_int64_t seen = archive_filter_bytes(reader_.get(), 0);
    if (unpacked_ > limit_.value || (seen > 0 && static_cast<std::uint64_t>(seen) > limit_.value)) {
      return fail(Errc::exhausted, "unpacks to more than " + print(limit_));
    }
    return {};
  }

  tl::unexpected<Error> failed() {
    if (Status limit = within_limit(); !limit) return tl::unexpected(std::move(limit.error()));
    if (error_) return tl::unexpected(std::move(*error_));
    return archive_failed(reader_.get(), "damaged");
  }

  Members& members_;
  ByteCount limit_;
  std::uint64_t unpacked_ = 0;
  std::optional<Error> error_;
  std::optional<XzStream> xz_;
  ArchiveReader reader_;  ///< last: it may pull while it closes
};

/// Entries that came again: they take the place of the first.
using Later = std::map<ImagePath, Node>;

Result<Node> node_of(Tar& tar, struct archive_entry* entry, const FileTree& tree,
                     const Later& later, const DebLimits& limits) {
  Node node;
  node.mode = static_cast<std::uint32_t>(archive_entry_perm(entry)) & 07777U;
  const la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);
  if (uid < 0 || gid < 0 || uid > kLargestOwner || gid > kLargestOwner) {
    return fail(Errc::invalid_input, "an owner outside 0 to 2097151");
  }
  node.uid = static_cast<std::uint32_t>(uid);
  node.gid = static_cast<std::uint32_t>(gid);
  node.mtime = archive_entry_mtime(entry);
  if (const char* target = archive_entry_hardlink(entry)) {
    TRY_ASSIGN(const ImagePath path, ImagePath::parse(target));
    const auto again = later.find(path);
    const Node* other = again != later.end() ? &again->second : tree.find(path);
    if (other == nullptr || other->file() == nullptr) {
      return fail(Errc::invalid_input,
                  "a hard link to /" + path.string() + ", which is no file here");
    }
    return *other;
  }
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
      node.what = Folder{};
      return node;
    case AE_IFREG: {
      TRY_ASSIGN(std::vector<std::uint8_t> bytes, tar.content(entry, limits.file));
      bytes.shrink_to_fit();
      node.what = File{std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes))};
      return node;
    }
    case AE_IFLNK: {
      const char* target = archive_entry_symlink(entry);
      if (target == nullptr || *target == '\0' || std::string_view(target).size() >= 4096) {
        return fail(Errc::invalid_input, "a symbolic link without a usable target");
      }
      node.what = Symlink{target};
      return node;
    }
    case AE_IFCHR:
    case AE_IFBLK:
      node.what = Device{archive_entry_filetype(entry) == AE_IFBLK,
                         static_cast<std::uint32_t>(archive_entry_rdevmajor(entry)),
                         static_cast<std::uint32_t>(archive_entry_rdevminor(entry))};
      return node;
    case AE_IFIFO:
      node.what = Fifo{};
      return node;
    default:
      return fail(Errc::invalid_input, "a kind of file that images do not have");
  }
}

void add_attributes(struct archive_entry* entry, const ImagePath& path,
                    std::vector<std::string>& out) {
  archive_entry_xattr_reset(entry);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    out.push_back("/" + path.string() + ": " + name);
  }
}

// What is behind "control.tar" or "data.tar" in a member's name.
Result<std::string> compression_of(const std::string& member, std::string_view base) {
  if (member.starts_with(base)) return member.substr(base.size());
  return fail(Errc::invalid_input,
              "not a Debian package: '" + member + "' where " + std::string(base) + " belongs");
}

Status read_control(Members& members, const DebLimits& limits, Deb& deb) {
  TRY_ASSIGN(const std::string member, members.next());
  TRY_ASSIGN(const std::string compression, compression_of(member, "control.tar"));
  Tar tar(members, limits.control);
  TRY(tar.open(compression, Tar::Member::control));
  for (std::size_t count = 0;; ++count) {
    if (count > 1000) return fail(Errc::exhausted, "more than 1000 entries");
    TRY_ASSIGN(struct archive_entry* const entry, tar.next());
    if (entry == nullptr) break;
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) return fail(Errc::invalid_input, "a name that cannot be read");
    TRY_ASSIGN(const ImagePath path, ImagePath::parse(name));
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    TRY_ASSIGN_IN(const auto bytes, tar.content(entry, ByteCount{kControlFile}), path.string());
    if (!deb.control.emplace(path.string(), std::string(bytes.begin(), bytes.end())).second) {
      return fail(Errc::invalid_input, path.string() + " is there twice");
    }
  }
  if (!deb.control.contains("control")) return fail(Errc::invalid_input, "no file 'control'");
  return {};
}

// As dpkg unpacks it: what comes later stands there, but a folder stays a folder.
Status put(FileTree& tree, const ImagePath& path, Node node, Later& later) {
  Status done = tree.put(path, node);
  if (done) return {};
  const Node* there = tree.find(path);
  if (there != nullptr && there->is_folder() == node.is_folder()) {
    later.insert_or_assign(path, std::move(node));
    return {};
  }
  if (there == nullptr) {
    done.error().message +=
        ": refused on purpose, since what is unpacked through a link may end up anywhere";
  }
  return done;
}

FileTree with_later(const FileTree& tree, const Later& later) {
  FileTree out;
  for (const auto& [path, node] : tree.nodes()) {
    const auto again = later.find(path);
    // A tree's own nodes, parents first: there is nothing to refuse.
    (void)out.put(path, again == later.end() ? node : again->second);
  }
  return out;
}

// A name that leads out of the package is as good as any to dpkg, which unpacks what it is given.
Result<ImagePath> path_of(const char* name) {
  auto path = ImagePath::parse(name);
  if (!path && std::string_view(name).find("..") != std::string_view::npos) {
    path.error().message += ": refused on purpose, since it may end up anywhere";
  }
  return path;
}

Status read_data(Members& members, const DebLimits& limits,
                 const std::function<bool(const ImagePath&)>& keep, Deb& deb) {
  TRY_ASSIGN(const std::string member, members.next());
  TRY_ASSIGN(const std::string compression, compression_of(member, "data.tar"));
  Tar tar(members, limits.data);
  TRY(tar.open(compression, Tar::Member::data));
  Later later;
  // Every name of a file counts: a hard link costs the archive nothing, and an image all of it.
  std::uint64_t held = 0;
  for (std::size_t count = 0;; ++count) {
    if (count > limits.entries) {
      return fail(Errc::exhausted, "more than " + std::to_string(limits.entries) + " entries");
    }
    TRY_ASSIGN(struct archive_entry* const entry, tar.next());
    if (entry == nullptr) {
      if (!later.empty()) deb.files = with_later(deb.files, later);
      return {};
    }
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) return fail(Errc::invalid_input, "a name that cannot be read");
    TRY_ASSIGN(const ImagePath path, path_of(name));
    if (!keep(path)) continue;
    TRY_ASSIGN_IN(Node node, node_of(tar, entry, deb.files, later, limits), "/" + path.string());
    add_attributes(entry, path, deb.attributes);
    if (const File* file = node.file()) held += file->content->size();
    if (held > limits.data.value) {
      return fail(Errc::exhausted,
                  "unpacks to more than " + print(limits.data) + " with its links");
    }
    TRY(put(deb.files, path, std::move(node), later));
  }
}

// At its second member.
Result<Members> open_deb(Bytes bytes) {
  TRY_ASSIGN(Members members, Members::open(bytes));
  TRY_ASSIGN(const std::string first, members.next());
  TRY_ASSIGN(const Bytes version, members.piece());
  if (first != "debian-binary" || version.size() < 2 || version[0] != '2' || version[1] != '.') {
    return fail(Errc::invalid_input, "not a Debian package of format 2");
  }
  return members;
}

}  // namespace

Result<std::map<std::string, std::string>> read_deb_control(Bytes bytes, const DebLimits& limits) {
  TRY_ASSIGN(Members members, open_deb(bytes));
  Deb deb;
  TRY_IN(read_control(members, limits, deb), "control.tar");
  return std::move(deb.control);
}

Result<Deb> read_deb(Bytes bytes, const DebLimits& limits,
                     const std::function<bool(const ImagePath&)>& keep) {
  TRY_ASSIGN(Members members, open_deb(bytes));
  Deb deb;
  TRY_IN(read_control(members, limits, deb), "control.tar");
  TRY_IN(read_data(members, limits, keep, deb), "data.tar");
  return deb;
}

}  // namespace weir::images
