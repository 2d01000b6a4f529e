#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/names.h"
#include "manifests/base/result.h"
#include "manifests/documents/release.h"

namespace weir::manifests {

inline constexpr std::string_view kInTotoPayload = "application/vnd.in-toto+json";
inline constexpr std::string_view kInTotoStatement = "https://in-toto.io/Statement/v1";
inline constexpr std::string_view kSlsaProvenance = "https://slsa.dev/provenance/v1";
inline constexpr std::string_view kBuildType = "urn:weir:build:1";
inline constexpr std::string_view kBuilderId = "urn:weir:builder";

/// An artifact: in-toto's ResourceDescriptor.
struct Artifact {
  std::string name;  ///< never empty
  Digest digest;
  std::string uri{};  ///< a package URL; may be empty
  std::map<std::string, std::string> annotations{};
  bool operator==(const Artifact&) const = default;
};

/// How a release came to be: an in-toto statement with SLSA's provenance as its predicate. It says
/// nothing of time or place, so that the same release has the same provenance, byte for byte.
/// Format: docs/provenance.md.
struct Provenance {
  std::vector<Artifact> subject;  ///< the release document, the kernel and every layer
  ReleaseName release;
  Digest lock_digest;
  std::string compressor;              ///< of the lock
  std::vector<Artifact> dependencies;  ///< lock, manifest, signed indices, packages, programs
  std::string builder_version;         ///< as the release states it
  std::vector<Artifact> byproducts;    ///< SBOMs
  bool operator==(const Provenance&) const = default;
};

/// errors: invalid_input, naming the field; unknown fields and another build type are refused,
/// names that are there twice too
[[nodiscard]] Result<Provenance> parse_provenance(std::string_view json);
[[nodiscard]] std::string print(const Provenance& provenance);

/// What a release ships: its document ("NAME/release.json"), kernel and layers.
/// release_digest   of the release document
[[nodiscard]] std::vector<Artifact> subject_of(const Release& release,
                                               const Digest& release_digest);

}  // namespace weir::manifests
