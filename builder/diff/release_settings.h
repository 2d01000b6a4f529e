#pragma once

#include <vector>

#include "builder/diff/release_diff.h"

namespace weir::builder {

/// What a person chose that differs: the kernel's command line, stand-ins, suites, and, where the
/// image manifests are known, everything they say but versions; and every file below /etc among
/// `files`. By name.
[[nodiscard]] std::vector<SettingChange> compare_settings(const ReleaseFacts& from,
                                                          const ReleaseFacts& to,
                                                          const std::vector<FileChange>& files);

}  // namespace weir::builder
