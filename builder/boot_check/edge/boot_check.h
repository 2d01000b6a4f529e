#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "images/store/store.h"
#include "keys/trust/verified.h"
#include "manifests/base/result.h"
#include "manifests/documents/boot_check_statement.h"
#include "manifests/documents/release.h"

namespace weir::builder {

struct BootCheckSettings {
  ByteCount memory{512ULL << 20};
  std::chrono::seconds timeout{180};      ///< from power-on until everything is up
  std::vector<std::string> node_files{};  ///< NAME=FILE each, for services
  std::string log{};                      ///< where the node's log is kept; empty: nowhere
};

struct BootCheckOutcome {
  manifests::BootCheckStatement statement;
  std::string json;                                    ///< its text, which is what gets signed
  std::vector<manifests::FactDifference> differences;  ///< none: the node is what was released
};

/// Boots exactly this release with `weir-boot-check`, which lies beside this program, and compares
/// what the node says of itself with the release. Progress goes to standard error.
///
/// release  its blobs are hashed again on their way into the machine
/// errors   unauthorized: not root; not_found: no weir-boot-check; io: the check failed, and its
///          reason stands on standard error; timeout; integrity: it checked something else
[[nodiscard]] Result<BootCheckOutcome> boot_check_release(
    const images::Store& store, const keys::Verified<manifests::Release>& release,
    const BootCheckSettings& settings);

/// A machine that cannot hold the release never boots it: kernel, segments and what they unpack to
/// are in memory at once. errors: invalid_input, saying how much is needed
[[nodiscard]] Status check_memory(const manifests::Release& release, ByteCount memory);

/// Whether `--node-file` gives what the release's services ask for, in files that can be read.
/// errors: as `parse_node_file_words`, `check_node_files` and `read_layer_content`; those of
/// opening
///         a file, which is named; exhausted: larger than a node takes
[[nodiscard]] Status check_node_files_of(const images::Store& store,
                                         const manifests::Release& release,
                                         const std::vector<std::string>& words);

/// errors: unauthorized: not root, saying why it must be
[[nodiscard]] Status check_right_to_boot();

}  // namespace weir::builder
