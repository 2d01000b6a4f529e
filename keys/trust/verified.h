#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/signing/minisign.h"
#include "manifests/base/result.h"
#include "manifests/base/utc_time.h"
#include "manifests/documents/release.h"

namespace weir::manifests {
struct Trust;
struct TrustState;
}  // namespace weir::manifests

namespace weir::keys {

struct ReleaseQuestion;

/// A document whose signature was checked. Only the verify functions below can make one, so a
/// function that takes a `Verified<T>` cannot be handed anything else.
template <class T>
class Verified {
 public:
  [[nodiscard]] const T& operator*() const { return value_; }
  [[nodiscard]] const T* operator->() const { return &value_; }
  /// Key id, 16 hex digits; of several that counted, with ", " between them.
  [[nodiscard]] const std::string& signer() const { return signer_; }
  [[nodiscard]] const Digest& digest() const { return digest_; }  ///< of the signed bytes

 private:
  friend Result<Verified<manifests::Release>> verify_release(std::string_view, std::string_view,
                                                             const std::vector<SigningPublicKey>&,
                                                             UtcTime, const std::set<Digest>&);
  friend Result<Verified<manifests::Release>> verify_release(std::string_view,
                                                             const std::vector<std::string>&,
                                                             const Verified<manifests::Trust>&,
                                                             const ReleaseQuestion&);
  friend Result<Verified<manifests::Trust>> verify_trust(std::string_view,
                                                         const manifests::TrustState&, UtcTime,
                                                         const std::optional<Digest>&);
  Verified(T value, std::string signer, Digest digest)
      : value_(std::move(value)), signer_(std::move(signer)), digest_(digest) {}
  T value_;
  std::string signer_;
  Digest digest_;
};

/// Parses a release whose signatures were checked, and refuses what no signature makes good: more
/// than 16 MiB, another type or one that does not come first, a blob of 2 GiB or more.
/// errors     invalid_input, exhausted
[[nodiscard]] Result<manifests::Release> parse_signed_release(std::string_view json);

/// errors     unauthorized: it expired, and nobody may start using it
[[nodiscard]] Status check_not_expired(const manifests::ReleaseTerms& terms, UtcTime now);

/// Checks a release's detached signature over its raw bytes, then parses it.
///
/// json       the release document as stored
/// signature  the text of its .minisig file
/// trusted    keys of which one must have signed
/// now        it must not have expired, where it says when it does
/// running    releases in use: for them expiry does not matter
/// errors     unauthorized: no trusted key made this signature, the bytes were changed, or it
///            expired; otherwise as parse_signed_release
[[nodiscard]] Result<Verified<manifests::Release>> verify_release(
    std::string_view json, std::string_view signature, const std::vector<SigningPublicKey>& trusted,
    UtcTime now, const std::set<Digest>& running = {});

}  // namespace weir::keys
