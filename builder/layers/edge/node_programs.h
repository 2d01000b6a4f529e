#pragma once

#include <string>
#include <vector>

#include "builder/mirror/edge/cache.h"
#include "manifests/base/result.h"
#include "manifests/documents/architecture.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// Where the manifest's node programs are: `node_programs` relative to the manifest's folder, else
/// the folder of the running program, or, of another architecture, that folder's `arm64`.
/// errors: io; invalid_input: the manifest's architecture
[[nodiscard]] Result<std::string> node_program_folder(const manifests::ImageManifest& manifest,
                                                      const std::string& manifest_path);

/// Where those of another architecture than this machine's are, and its EFI stub. errors: io
[[nodiscard]] Result<std::string> foreign_program_folder(
    const manifests::Architecture& architecture);

/// What a person does to have them there: "install …, or build …".
[[nodiscard]] std::string how_to_get(const manifests::Architecture& architecture);

/// Hashes weir-init and weir-node and keeps a copy in the cache, so that the lock can be built from
/// after the next release of Weir.
/// errors: not_found, io; invalid_input: for another architecture; each names the program
[[nodiscard]] Result<std::vector<manifests::LockedProgram>> lock_programs(
    const std::string& folder, const manifests::Architecture& architecture, const Cache& cache);

}  // namespace weir::builder
