#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/mirror/suite_index.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/result.h"

namespace weir::builder {

/// One form of a Packages file, packed or plain.
struct IndexForm {
  std::string path;  ///< below the suite's folder: "main/binary-amd64/Packages.xz"
  IndexFile file;
};

/// One Packages file that a suite has to bring.
struct WantedIndex {
  std::string title;                 ///< for people: "main", or "Packages" of a flat archive
  std::vector<IndexForm> forms;      ///< the smallest first; at least one
  std::optional<IndexFile> plain{};  ///< unpacked, where the suite says it
};

/// The Packages files of each component of a suite, and of packages for all architectures where
/// those have their own.
/// errors: not_found: the suite has no such component or architecture; exhausted: one is larger
/// than a GiB
[[nodiscard]] Result<std::vector<WantedIndex>> wanted_indices(const SuiteIndex& index,
                                                              const SuiteSource& source,
                                                              const std::string& architecture);

/// Where a suite's own files lie below its base: "dists/bookworm/", "x/" of a flat one, or nothing.
[[nodiscard]] std::string suite_folder(const std::string& suite);

/// Where one form lies below the suite's folder, the place to ask first in front: under its digest
/// an index stays there while a mirror is being updated.
[[nodiscard]] std::vector<std::string> places_of(const IndexForm& form, bool by_hash);

}  // namespace weir::builder
