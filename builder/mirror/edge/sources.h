#pragma once

#include <string>
#include <vector>

#include "builder/mirror/apt_sources.h"
#include "builder/mirror/keyring.h"
#include "builder/mirror/suite_source.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"

namespace weir::builder {

/// Every suite of a manifest, in its order.
///
/// folder   the manifest's, absolute: what it names lies beside it. Empty: nobody knows
/// errors   not_found: a file of apt's is not there, or something is relative to a folder that
///          nobody knows; invalid_input: that file cannot be read, says no source or no keyring, or
///          two sources have the same suite and no name
[[nodiscard]] Result<std::vector<SuiteSource>> read_sources(
    const manifests::ImageManifest& manifest, const std::string& folder);

/// Who may sign a suite. errors: as `Keyring::parse` and `read_keyring`
[[nodiscard]] Result<Keyring> read_keyring_of(const SuiteSource& source);

struct AptConfiguration {
  std::vector<AptSource> entries;   ///< in the order of apt's files
  std::vector<std::string> unread;  ///< files that could not be read, and do not count: which, why
};

/// What this machine's apt is configured for. Nothing, where there is no apt.
/// errors   invalid_input: apt refuses a file for what is in it, and with that all; naming the line
[[nodiscard]] Result<AptConfiguration> read_apt_configuration(const std::string& architecture);

/// Where the folder of a manifest is: absolute.
[[nodiscard]] std::string absolute_folder_of(const std::string& manifest_path);

}  // namespace weir::builder
