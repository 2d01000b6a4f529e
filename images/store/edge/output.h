#pragma once

#include <string>
#include <string_view>

#include "images/formats/extent.h"
#include "manifests/base/edge/unfinished.h"
#include "manifests/base/result.h"

namespace weir::images {

/// As write_file, for a file with holes: what is zero takes no room where the file system can do
/// that. errors: io, exhausted (disk full); nothing is left behind
[[nodiscard]] Status write_sparse_file(const std::string& path, const SparseFile& file);

/// As write_unfinished_file, likewise.
[[nodiscard]] Result<Unfinished> write_unfinished_sparse_file(const std::string& path,
                                                              const SparseFile& file);

/// A folder that appears whole or not at all: made aside, filled, renamed.
class OutputFolder {
 public:
  /// Whether `begin` would do it. errors: invalid_input: something that is not an empty folder is
  /// there; not_found, unauthorized: the folder around it
  static Status check(const std::string& path);
  /// errors: as `check`; io
  static Result<OutputFolder> begin(const std::string& path);
  OutputFolder(OutputFolder&& other) noexcept;
  OutputFolder& operator=(OutputFolder&&) = delete;
  ~OutputFolder();  ///< removes what was not finished

  /// Where to write: a folder beside the final one.
  [[nodiscard]] const std::string& aside() const { return aside_.path; }
  /// errors: io
  Status finish();

 private:
  OutputFolder(std::string path, Unfinished aside)
      : path_(std::move(path)), aside_(std::move(aside)) {}
  std::string path_;
  Unfinished aside_;
};

}  // namespace weir::images
