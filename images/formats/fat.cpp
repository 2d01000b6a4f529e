#include "images/formats/fat.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include "images/formats/byte_order.h"

namespace weir::images {
namespace {

using Buffer = std::vector<std::uint8_t>;

constexpr std::uint64_t kFatSector = 512;
constexpr std::uint32_t kReserved = 32;     // sectors before the first table
constexpr std::uint32_t kCopies = 2;        // tables
constexpr std::uint32_t kRoot = 2;          // the first cluster there is
constexpr std::uint32_t kFewest = 65525;    // with fewer clusters it would not be FAT32
constexpr std::uint32_t kEnd = 0x0fffffff;  // of a chain
constexpr std::uint8_t kFolder = 0x10, kVolume = 0x08, kArchive = 0x20;
constexpr std::size_t kEntry = 32;

struct Geometry {
  std::uint32_t sectors = 0;      // of the volume
  std::uint32_t per_cluster = 0;  // sectors
  std::uint32_t table = 0;        // sectors of one table
  std::uint32_t clusters = 0;

  [[nodiscard]] std::uint64_t cluster_size() const { return per_cluster * kFatSector; }
  [[nodiscard]] std::uint64_t offset_of(std::uint32_t cluster) const {
    return (kReserved + std::uint64_t{kCopies} * table) * kFatSector +
           (cluster - kRoot) * cluster_size();
  }
  [[nodiscard]] std::uint32_t clusters_for(std::uint64_t bytes) const {
    return static_cast<std::uint32_t>(round_up(bytes, cluster_size()) / cluster_size());
  }
};

Result<Geometry> geometry_of(ByteCount size) {
  if (size.value % kFatSector != 0 || size.value > 32ULL << 30) {
    return fail(Errc::invalid_input, "FAT32: " + print(size) + " is no size for it");
  }
  Geometry out;
  out.sectors = static_cast<std::uint32_t>(size.value / kFatSector);
  // The specification's table for FAT32.
  out.per_cluster = size.value <= 260ULL << 20 ? 1 : size.value <= 8ULL << 30 ? 8 : 16;
  if (out.sectors <= kReserved) return fail(Errc::invalid_input, "FAT32: the volume is too small");
  // A table of n sectors has room for 128 n entries, two of which stand for no cluster.
  const std::uint64_t rest = out.sectors - kReserved + 2ULL * out.per_cluster;
  const std::uint64_t a_table = 128ULL * out.per_cluster + kCopies;
  out.table = static_cast<std::uint32_t>((rest + a_table - 1) / a_table);
  const std::uint64_t data = std::uint64_t{kReserved} + std::uint64_t{kCopies} * out.table;
  if (out.sectors > data) {
    out.clusters = static_cast<std::uint32_t>((out.sectors - data) / out.per_cluster);
  }
  if (out.clusters < kFewest) {
    return fail(Errc::invalid_input, "FAT32: " + print(size) + " is too small, 33 MiB is enough");
  }
  return out;
}

struct Stamp {
  std::uint16_t date = 0, time = 0;
};

Result<Stamp> stamp_of(std::int64_t time) {
  const std::chrono::sys_seconds point{std::chrono::seconds(time)};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(point - day);
  const int year = static_cast<int>(date.year());
  if (year < 1980 || year > 2107) return fail(Errc::invalid_input, "FAT: a time outside 1980-2107");
  return Stamp{
      static_cast<std::uint16_t>((year - 1980) << 9 | static_cast<unsigned>(date.month()) << 5 |
                                 static_cast<unsigned>(date.day())),
      static_cast<std::uint16_t>(clock.hours().count() << 11 | clock.minutes().count() << 5 |
                                 clock.seconds().count() / 2)};
}

bool usable(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// "BOOTX64.EFI" as the eleven bytes of an entry.
Result<std::string> short_name(std::string_view name) {
  const auto dot = name.find('.');
  const std::string_view base = name.substr(0, dot);
  const std::string_view end = dot == std::string_view::npos ? "" : name.substr(dot + 1);
  if (!usable(base, 8) || (dot != std::string_view::npos && !usable(end, 3))) {
    return fail(Errc::invalid_input,
                "FAT: '" + std::string(name) + "' is no name of 8.3 in capitals");
  }
  std::string out(base);
  out.resize(8, ' ');
  out += end;
  out.resize(11, ' ');
  return out;
}

void put_entry(Buffer& out, const std::string& name, std::uint8_t kind, std::uint32_t cluster,
               std::uint32_t size, Stamp stamp) {
  const std::size_t at = out.size();
  out.resize(at + kEntry);
  std::copy(name.begin(), name.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
  out[at + 11] = kind;
  put_little(out, at + 14, stamp.time);  // made
  put_little(out, at + 16, stamp.date);
  put_little(out, at + 18, stamp.date);  // last read
  put_little(out, at + 20, static_cast<std::uint16_t>(cluster >> 16));
  put_little(out, at + 22, stamp.time);  // last written
  put_little(out, at + 24, stamp.date);
  put_little(out, at + 26, static_cast<std::uint16_t>(cluster));
  put_little(out, at + 28, size);
}

struct Place {
  std::uint32_t cluster = 0;  // 0: an empty file has none
  std::uint32_t clusters = 0;
};

/// A folder while the tree is laid out.
struct Directory {
  std::map<std::string, Directory> folders;  // by their eleven bytes
  std::map<std::string, const FatFile*> files;
  Place place;

  [[nodiscard]] std::uint64_t entries(bool root) const {
    return folders.size() + files.size() + (root ? 1 : 2);  // the label, or "." and ".."
  }
};

Status put(Directory& root, const FatFile& file) {
  Directory* folder = &root;
  std::string_view rest = file.path;
  for (;;) {
    const auto slash = rest.find('/');
    TRY_ASSIGN_IN(const std::string name, short_name(rest.substr(0, slash)), file.path);
    const bool last = slash == std::string_view::npos;
    if (last ? folder->folders.contains(name) || !folder->files.emplace(name, &file).second
             : folder->files.contains(name)) {
      return fail(Errc::invalid_input, "FAT: '" + file.path + "' is there already");
    }
    if (last) return {};
    folder = &folder->folders[name];
    rest.remove_prefix(slash + 1);
  }
}

/// Hands out clusters from the root on and writes what belongs there.
class Writer {
 public:
  Writer(const Geometry& geometry, Stamp stamp, std::string label)
      : geometry_(geometry), stamp_(stamp), label_(std::move(label)) {
    table_.resize(8);                                  // two entries
    put_little(table_, 0, std::uint32_t{0x0ffffff8});  // the media byte, and the volume is clean
    put_little(table_, 4, kEnd);
  }

  void place_folders(Directory& folder, bool root) {
    folder.place = take(folder.entries(root) * kEntry);
    for (auto& [name, inner] : folder.folders) place_folders(inner, false);
  }

  Status place_files(const std::vector<FatFile>& files) {
    for (const FatFile& file : files) {
      if (file.content->size() > UINT32_MAX) {
        return fail(Errc::exhausted, "FAT: '" + file.path + "' has 4 GiB or more");
      }
      const Place place = take(file.content->size());
      files_[&file] = place;
      if (place.clusters != 0)
        extents_.push_back({geometry_.offset_of(place.cluster), file.content});
    }
    if (next_ - kRoot > geometry_.clusters) {
      return fail(Errc::exhausted, "FAT: the files need " + std::to_string(next_ - kRoot) +
                                       " clusters, the volume has " +
                                       std::to_string(geometry_.clusters));
    }
    return {};
  }

  void write_folders(const Directory& folder, const Directory* parent) {
    Buffer out;
    if (parent == nullptr) {
      put_entry(out, label_, kVolume, 0, 0, stamp_);
    } else {
      put_entry(out, ".          ", kFolder, folder.place.cluster, 0, stamp_);
      // The root counts as 0 here.
      const std::uint32_t up = parent->place.cluster == kRoot ? 0 : parent->place.cluster;
      put_entry(out, "..         ", kFolder, up, 0, stamp_);
    }
    for (const auto& [name, inner] : folder.folders) {
      put_entry(out, name, kFolder, inner.place.cluster, 0, stamp_);
    }
    for (const auto& [name, file] : folder.files) {
      put_entry(out, name, kArchive, files_.at(file).cluster,
                static_cast<std::uint32_t>(file->content->size()), stamp_);
    }
    folders_.push_back({geometry_.offset_of(folder.place.cluster), shared(std::move(out))});
    for (const auto& [name, inner] : folder.folders) write_folders(inner, &folder);
  }

  // Reserved sectors first, then both tables, folders and files: in the order of the volume.
  SparseFile finish(const FatVolume& volume) && {
    SparseFile out{volume.size, {}};
    const Buffer boot = boot_sector(volume), info = info_sector();
    for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{6}}) {
      out.extents.push_back({at * kFatSector, shared(boot)});
      out.extents.push_back({(at + 1) * kFatSector, shared(info)});
    }
    const Content table = shared(std::move(table_));
    for (std::uint32_t copy = 0; copy < kCopies; ++copy) {
      out.extents.push_back(
          {(kReserved + std::uint64_t{copy} * geometry_.table) * kFatSector, table});
    }
    out.extents.insert(out.extents.end(), folders_.begin(), folders_.end());
    out.extents.insert(out.extents.end(), extents_.begin(), extents_.end());
    return out;
  }

 private:
  static Content shared(Buffer bytes) { return std::make_shared<const Buffer>(std::move(bytes)); }

  Place take(std::uint64_t bytes) {
    const std::uint32_t count = geometry_.clusters_for(bytes);
    if (count == 0) return {};
    const Place out{next_, count};
    next_ += count;
    table_.resize(std::size_t{next_} * 4);
    for (std::uint32_t i = out.cluster; i < next_; ++i) {
      put_little(table_, std::size_t{i} * 4, i + 1 == next_ ? kEnd : i + 1);
    }
    return out;
  }

  [[nodiscard]] Buffer boot_sector(const FatVolume& volume) const {
    constexpr std::string_view kMaker = "MSWIN4.1", kKind = "FAT32   ";
    Buffer out(kFatSector);
    out[0] = 0xeb;  // jumps over the fields: to code that stops
    out[1] = 0x58;
    out[2] = 0x90;
    std::copy(kMaker.begin(), kMaker.end(), out.begin() + 3);
    put_little(out, 11, static_cast<std::uint16_t>(kFatSector));
    out[13] = static_cast<std::uint8_t>(geometry_.per_cluster);
    put_little(out, 14, static_cast<std::uint16_t>(kReserved));
    out[16] = kCopies;
    out[21] = 0xf8;  // a disk that stays
    put_little(out, 24, std::uint16_t{63});
    put_little(out, 26, std::uint16_t{255});
    put_little(out, 28, volume.sectors_before);
    put_little(out, 32, geometry_.sectors);
    put_little(out, 36, geometry_.table);
    put_little(out, 44, kRoot);
    put_little(out, 48, std::uint16_t{1});  // where the information sector is
    put_little(out, 50, std::uint16_t{6});  // and the copies of both
    out[64] = 0x80;
    out[66] = 0x29;
    put_little(out, 67, volume.serial);
    std::copy(label_.begin(), label_.end(), out.begin() + 71);
    std::copy(kKind.begin(), kKind.end(), out.begin() + 82);
    out[90] = 0xf4;  // hlt
    out[91] = 0xeb;  // jmp to it
    out[92] = 0xfd;
    out[510] = 0x55;
    out[511] = 0xaa;
    return out;
  }

  [[nodiscard]] Buffer info_sector() const {
    Buffer out(kFatSector);
    put_little(out, 0, std::uint32_t{0x41615252});
    put_little(out, 484, std::uint32_t{0x61417272});
    put_little(out, 488, geometry_.clusters - (next_ - kRoot));
    put_little(out, 492, next_ - 1);  // the last one taken
    put_little(out, 508, std::uint32_t{0xaa550000});
    return out;
  }

  Geometry geometry_;
  Stamp stamp_;
  std::string label_;
  std::uint32_t next_ = kRoot;
  Buffer table_;
  std::map<const FatFile*, Place> files_;
  std::vector<Extent> folders_, extents_;
};

}  // namespace

Result<SparseFile> encode_fat32(const FatVolume& volume, const std::vector<FatFile>& files) {
  TRY_ASSIGN(const Geometry geometry, geometry_of(volume.size));
  TRY_ASSIGN(const Stamp stamp, stamp_of(volume.time));
  if (!usable(volume.label, 11)) {
    return fail(Errc::invalid_input, "FAT: the label '" + volume.label + "' is not usable");
  }
  std::string label = volume.label;
  label.resize(11, ' ');
  Directory root;
  std::uint64_t bytes = 0;
  for (const FatFile& file : files) {
    TRY(put(root, file));
    bytes += file.content->size();
  }
  if (bytes > volume.size.value) return fail(Errc::exhausted, "FAT: the files do not fit");
  Writer writer(geometry, stamp, std::move(label));
  writer.place_folders(root, true);
  TRY(writer.place_files(files));
  writer.write_folders(root, nullptr);
  return std::move(writer).finish(volume);
}

}  // namespace weir::images
