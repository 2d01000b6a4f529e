#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "images/edge/store.h"
#include "keys/verified.h"
#include "manifests/release.h"
#include "manifests/result.h"

namespace weir::builder {

/// What a release can be turned into. Format: docs/boot-formats.md.
enum class ExportFormat : std::uint8_t { kernel, uki, disk, qcow2, pxe, oci };

/// "uki". errors: invalid_input, naming those there are
[[nodiscard]] Result<ExportFormat> parse_export_format(std::string_view text);

struct ExportOptions {
  ExportFormat format{};
  std::string out;                    ///< a folder for kernel, pxe and oci, else a file
  std::string stub;                   ///< systemd's EFI stub, for uki, disk and qcow2
  std::optional<Digest> stub_digest;  ///< another stub is refused
  std::string secure_boot_key, secure_boot_certificate;  ///< PEM files; empty: not signed
};

struct ExportedFile {
  std::string path;  ///< below `out`, empty where `out` is the file itself
  manifests::Blob blob;
};

struct ExportOutcome {
  std::vector<ExportedFile> files;    ///< by path
  std::optional<Digest> stub_digest;  ///< of the stub that was used
};

/// Writes a release in another format. What is written depends on the release, the stub, the
/// secure boot key and zlib's version (oci) alone; `out` appears whole or not at all.
///
/// release  its blobs are hashed again while they are read
/// errors   integrity: a blob of the store, or the stub, is not what it should be; not_found: the
///          stub, or the program sbsign; invalid_input: `out` is there already (folders), or the
///          release cannot be had in this format; exhausted; io
[[nodiscard]] Result<ExportOutcome> export_release(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const ExportOptions& options);

}  // namespace weir::builder
