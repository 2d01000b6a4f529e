#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "images/tree/file_tree.h"
#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"

namespace weir::images {

/// What a package may ask of a reader. Larger is refused before it is held.
struct DebLimits {
  std::size_t entries = 100'000;
  ByteCount file{256ULL << 20};  ///< each file
  ByteCount data{1ULL << 30};  ///< data.tar, unpacked; also all files, each under each of its names
  ByteCount control{16ULL << 20};  ///< control.tar, unpacked
};

/// A Debian package, read and not yet judged.
struct Deb {
  std::map<std::string, std::string> control;  ///< control, md5sums, conffiles, postinst, ...
  FileTree files;                              ///< as archived: /bin is not yet /usr/bin
  /// Extended attributes (pax), a file capability among them, which a tree does not hold:
  /// "/bin/ping: security.capability". dpkg takes no archive with such.
  std::vector<std::string> attributes{};
};

/// Reads a package from memory; nothing touches a disk and none of its scripts runs.
///
/// An entry that is there twice is the later one, as dpkg unpacks it.
///
/// keep     which paths of the data archive to hold; called with normalised paths
/// errors   invalid_input: not a Debian package of format 2, damaged, a path that leaves the root
/// or
///          goes through a link of the package, a folder that is something else too, a kind of file
///          that images do not have; exhausted: over a limit
/// source   deb(5): order of members debian-binary, control.tar, data.tar; the former as it is, in
///          gz, xz or zst, the latter in bz2 or lzma too
[[nodiscard]] Result<Deb> read_deb(Bytes bytes, const DebLimits& limits,
                                   const std::function<bool(const ImagePath&)>& keep);

/// Its control files alone: the data archive is not unpacked. errors: as `read_deb`
[[nodiscard]] Result<std::map<std::string, std::string>> read_deb_control(
    Bytes bytes, const DebLimits& limits = {});

}  // namespace weir::images
