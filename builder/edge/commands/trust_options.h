#pragma once

#include <string>
#include <vector>

#include "builder/edge/commands/command_line.h"
#include "builder/edge/trusted.h"
#include "keys/minisign.h"

// A heavy header: for the commands' .cpp files.
namespace weir::builder {

/// Who is trusted, as the command line says it: keys, or a trust file.
struct TrustOptions {
  std::vector<std::string> keys;
  std::string trust, channel = "stable", state;
};

/// Adds --key, --trust, --channel and --state; `given` outlives the parsing.
void add_trust_options(CommandLine& line, TrustOptions& given);

/// Whether exactly one of both was given; otherwise it was told on stderr.
[[nodiscard]] bool says_who_is_trusted(const CommandLine& line, const TrustOptions& given);

/// Checks a stored release by them. errors: as verify_stored and verify_by_trust
[[nodiscard]] Result<TrustedRelease> verify_by(const TrustOptions& given,
                                               const images::Store& store, const ReleaseName& name,
                                               Demands demands);

/// Whose signatures over documents about a release are believed: --key, or the trust's release
/// keys.
[[nodiscard]] Result<std::vector<keys::SigningPublicKey>> trusted_keys(const TrustOptions& given);

/// Reads .pub files.
[[nodiscard]] Result<std::vector<keys::SigningPublicKey>> read_public_keys(
    const std::vector<std::string>& paths);

}  // namespace weir::builder
