#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "keys/commands/edge/command.h"
#include "keys/signing/minisign.h"
#include "manifests/documents/trust.h"

// How the newest version of a trust file gets its signatures, and where the file is until it has
// them all.
namespace weir::keys {

/// Adds the signer's signature.
/// errors   unauthorized: not a root key of this version or the one before; busy: has signed
[[nodiscard]] Status sign_newest(manifests::TrustFile& file, const Signer& signer);

/// Adds one that was made elsewhere: by stock minisign, over what `trust show --extract` wrote.
///
/// signature  the text of a .minisig file
/// errors     as above; unauthorized: it does not fit; invalid_input: malformed
[[nodiscard]] Status add_signature(manifests::TrustFile& file, const std::string& signature);

/// Whether it is a FILE.pending with all its signatures: who was to put it in FILE's place was
/// stopped before that.
[[nodiscard]] bool waits_for_its_place(const std::string& path, const manifests::TrustFile& file);

/// Of a FILE.pending, FILE.
[[nodiscard]] std::optional<std::string> place_of_pending(const std::string& path);

/// Whether and where it is written.
enum class Writing : std::uint8_t {
  planned,    ///< not at all
  as_it_is,   ///< complete or not
  if_signed,  ///< in the place of a file that is good, so only once it is complete; until then
              ///< beside it, as FILE.pending
};

/// Writes a trust file and says how far it is: who still has to sign. A FILE.pending that is
/// complete takes FILE's place. errors  busy: a FILE.pending is in the way, or FILE is no longer
/// what FILE.pending follows; io
[[nodiscard]] Result<Answer> write_trust_file(const std::string& path,
                                              const manifests::TrustFile& file, Writing writing);

}  // namespace weir::keys
