#pragma once

#include <string>
#include <utility>

#include "images/store/store.h"
#include "manifests/base/edge/file.h"

namespace weir::images {

/// A store in a folder of OCI image layout (docs/store.md): `oci-layout`, `index.json`,
/// `blobs/sha256/HEX`, `releases/NAME/release.json{,.minisig}` for people and for `minisign -V`,
/// and attached documents in folders that are named by their subject's digest.
class FolderStore final : public Store {
 public:
  /// Opens a store that exists. errors: not_found, invalid_input, io
  static Result<FolderStore> open(const std::string& path);
  /// The same, made where there is none.
  static Result<FolderStore> open_or_create(const std::string& path);

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] Result<std::vector<ReleaseName>> list() const override;
  [[nodiscard]] Result<StoredRelease> read_release(const ReleaseName& name) const override;
  /// Its entry into index.json comes with it. Its lock and image manifest, where they are among the
  /// blobs, are named there too.
  Status write_release(const ReleaseName& name, std::string_view json,
                       std::string_view signature) override;
  Status write_unsigned(const ReleaseName& name, std::string_view json) override;
  [[nodiscard]] Result<std::string> read_unsigned(const ReleaseName& name) const override;
  [[nodiscard]] Result<std::vector<ReleaseName>> list_unsigned() const override;
  void remove_unsigned(const ReleaseName& name) override;
  void tidy_unsigned(const ReleaseName& name) override;
  Status keep_others_out() override;
  Result<std::string> attach(const Digest& subject, AttachmentKind kind,
                             const Attachment& document) override;
  [[nodiscard]] Result<Attached> attached(const Digest& subject,
                                          AttachmentKind kind) const override;
  [[nodiscard]] bool has_blob(const Digest& digest) const override;
  Result<bool> write_blob(const Digest& digest, Bytes bytes) override;
  [[nodiscard]] Status sync_blobs() const override;
  Status read_blob(const manifests::Blob& blob,
                   const std::function<Status(Bytes)>& sink) const override;
  [[nodiscard]] Result<std::string> read_document(const Digest& digest,
                                                  ByteCount limit) const override;

 private:
  explicit FolderStore(std::string path) : path_(std::move(path)) {}
  std::string path_;
  Fd held_;  ///< the lock of `keep_others_out`
};

}  // namespace weir::images
