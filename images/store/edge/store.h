#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::images {

/// A release's document and signature, byte for byte as stored and not yet checked.
struct StoredRelease {
  ReleaseName name;
  std::string json;
  std::string signature;  ///< .minisig text
};

/// A folder in OCI image layout that holds releases and their blobs (docs/store.md):
/// `oci-layout`, `index.json`, `blobs/sha256/HEX`, and `releases/NAME/release.json{,.minisig}` for
/// people and for `minisign -V`. A blob appears whole or not at all (temporary, fsync, rename); a
/// release appears after all of its blobs.
class Store {
 public:
  /// Opens a store that exists. errors: not_found, invalid_input, io
  static Result<Store> open(const std::string& path);
  /// The same, made where there is none.
  static Result<Store> open_or_create(const std::string& path);

  [[nodiscard]] Result<std::vector<ReleaseName>> list() const;
  /// errors: not_found, naming the releases that are there
  [[nodiscard]] Result<StoredRelease> read_release(const ReleaseName& name) const;
  /// Puts release and signature beside blobs that are already there, and its entry into index.json.
  /// Its lock and image manifest, where they are among the blobs, are named there too. A release
  /// that is there already, byte for byte, stays as it is, with all that lies beside it.
  Status write_release(const ReleaseName& name, std::string_view json, std::string_view signature);

  [[nodiscard]] bool has_blob(const Digest& digest) const;
  /// Returns whether it was new. Its bytes are on the disk then, its name after `sync_blobs`.
  Result<bool> write_blob(const Digest& digest, Bytes bytes);
  /// Comes before whatever refers to a blob is written; `write_release` does it itself.
  [[nodiscard]] Status sync_blobs() const;
  /// Gives the blob to `sink` in pieces, hashing it again. The error comes after the last piece, so
  /// nothing may depend on them before this returned well.
  /// errors: not_found; integrity, naming the blob: digest or size differ from `blob`; the sink's
  /// own
  Status read_blob(const manifests::Blob& blob, const std::function<Status(Bytes)>& sink) const;

  /// A document that is known by its digest alone, such as a release's lock.
  /// errors: not_found; exhausted: larger than `limit`; integrity
  [[nodiscard]] Result<std::string> read_document(const Digest& digest, ByteCount limit) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit Store(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace weir::images
