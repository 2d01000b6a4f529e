#pragma once

#include <string>
#include <vector>

#include "builder/commands/edge/commands.h"
#include "builder/release/edge/trusted.h"
#include "keys/signing/minisign.h"

namespace weir::builder {

/// Who is trusted, as the command line says it: keys, or a trust file.
struct TrustOptions {
  std::vector<std::string> keys;
  std::string trust, state, pin;
  std::optional<std::string> channel;  ///< absent: stable
  bool first_use = false;
};

/// `options` with --key, --trust, --channel, --state, --pin and --first-use at `place`; `given`
/// outlives the parsing. `keys` is another name for --key, where that means something else.
[[nodiscard]] std::vector<Option> with_trust(std::vector<Option> options, std::size_t place,
                                             TrustOptions& given, const char* keys = "key");

/// Whether not both were given, and what goes with --trust or --state only with it. What a trust
/// without --state cannot notice is told on stderr. errors: invalid_input, wrong usage
[[nodiscard]] Status trust_options_fit(const TrustOptions& given, const char* keys = "key");
/// The same, and that one of both was given.
[[nodiscard]] Status says_who_is_trusted(const TrustOptions& given);

/// Reads who is believed, and what was seen. A newer version of a trust is remembered: the store is
/// opened after this, since what is withheld there must not keep a revoked signer in power. A first
/// use is told on stderr.
///
/// plan    nothing is remembered; refused where nothing could be
/// errors  as keys::believe
[[nodiscard]] Result<TrustBasis> read_basis(const TrustOptions& given,
                                            keys::TrustDemands demands = {}, bool plan = false);

/// Reads .pub files.
[[nodiscard]] Result<std::vector<keys::SigningPublicKey>> read_public_keys(
    const std::vector<std::string>& paths);

}  // namespace weir::builder
