#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/documents/trust.h"

namespace weir::manifests {

/// The newest trust a verifier has accepted.
struct SeenTrust {
  std::uint64_t version = 0;
  Digest digest;  ///< of that version's document, as signed
  bool operator==(const SeenTrust&) const = default;
};

/// A release that a verifier has accepted.
struct SeenRelease {
  std::string name;
  Digest digest;                     ///< of the signed document
  std::vector<std::string> signers;  ///< key ids that counted
  bool operator==(const SeenRelease&) const = default;
};

/// A version of a channel that a verifier has accepted a release of.
struct SeenVersion {
  std::uint64_t version = 0;
  std::vector<SeenRelease> releases;  ///< of this version, by name; at least one
  bool operator==(const SeenVersion&) const = default;
};

/// Of one channel, the newest first. Older ones are there because of their signers: they count
/// again where those of all newer ones are revoked.
using SeenVersions = std::vector<SeenVersion>;
inline constexpr std::size_t kMostSeenVersions = 64;

/// What a verifier keeps between runs, so that nobody can hand it something older again. Not
/// signed: it is the verifier's own memory. Format: docs/trust.md.
struct TrustState {
  std::optional<SeenTrust> trust;
  std::map<ChannelName, SeenVersions> channels;  ///< at least one version each
  bool operator==(const TrustState&) const = default;
};

/// Reads also what was written before older versions were kept. errors: invalid_input, naming the
/// field; exhausted: over kMostSeenVersions
[[nodiscard]] Result<TrustState> parse_trust_state(std::string_view json);
[[nodiscard]] std::string print(const TrustState& state);

}  // namespace weir::manifests
