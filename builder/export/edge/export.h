#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/lock/edge/boot_stub.h"
#include "builder/release/edge/release_documents.h"
#include "images/store/store.h"
#include "keys/trust/verified.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::builder {

/// What a release can be turned into. Format: docs/boot-formats.md.
enum class ExportFormat : std::uint8_t { kernel, uki, disk, qcow2, pxe, oci };

/// "uki". errors: invalid_input, naming those there are
[[nodiscard]] Result<ExportFormat> parse_export_format(std::string_view text);

struct ExportOptions {
  ExportFormat format{};
  std::string out;                    ///< a folder for kernel, pxe and oci, else a file
  std::string stub;                   ///< where the EFI stub is; empty: the store, or installed
  std::optional<Digest> stub_digest;  ///< another stub is refused, and than the lock's in any case
  std::string secure_boot_key, secure_boot_certificate;  ///< PEM files; empty: not signed
};

struct ExportedFile {
  std::string path;  ///< of the file, `out` included
  manifests::Blob blob;
};

struct ExportOutcome {
  std::vector<ExportedFile> files;    ///< by path; the documents among them
  std::optional<Digest> stub_digest;  ///< of the stub that was used
};

/// What an export will write, and what it begins with.
struct ExportPlan {
  ExportOptions options;
  /// Files, by path; of a container image without its blobs, which are named by what is in them.
  std::vector<std::string> paths;
  /// What an older export left beside `out` and this release has none of: it goes.
  std::vector<std::string> removed;
  std::optional<Stub> stub;  ///< for uki, disk and qcow2
};

/// Decides it, and refuses what can be refused before anything is written.
///
/// errors   not_found: the stub, a file of `secure_boot_*`, the folder around `out`; invalid_input:
///          what is at `out` may not be replaced; integrity: the stub; unauthorized
[[nodiscard]] Result<ExportPlan> plan_export(const images::Store& store,
                                             const keys::Verified<manifests::Release>& release,
                                             const ReleaseDocuments& documents,
                                             const ExportOptions& options);

/// Writes a release in another format, and what stock tools read about it: in the folder, beside
/// the file (`OUT.sbom.spdx.json`), or as referrers of the container image. What is written depends
/// on the release, its documents, the stub, the secure boot key and the versions of zlib (oci) and
/// qemu-img (qcow2) alone;
/// `out` appears whole or not at all; it and the documents beside it take the place of older ones
/// together (manifests/base/edge/replacement.h), `out` last.
///
/// release  its blobs are hashed again while they are read
/// errors   integrity: a blob of the store, or the stub, is not what it should be; not_found: the
///          stub, or the program sbsign; invalid_input: `out` is there already (folders), or the
///          release cannot be had in this format; exhausted; io
[[nodiscard]] Result<ExportOutcome> export_release(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const ReleaseDocuments& documents, const ExportPlan& plan);

}  // namespace weir::builder
