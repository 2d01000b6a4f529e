#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "keys/minisign.h"
#include "manifests/release.h"
#include "manifests/result.h"
#include "manifests/utc_time.h"

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
                                                             const std::vector<SigningPublicKey>&);
  friend Result<Verified<manifests::Release>> verify_release(std::string_view,
                                                             const std::vector<std::string>&,
                                                             const Verified<manifests::Trust>&,
                                                             const ReleaseQuestion&);
  friend Result<Verified<manifests::Trust>> verify_trust(std::string_view,
                                                         const manifests::TrustState&, UtcTime);
  Verified(T value, std::string signer, Digest digest)
      : value_(std::move(value)), signer_(std::move(signer)), digest_(digest) {}
  T value_;
  std::string signer_;
  Digest digest_;
};

/// Checks a release's detached signature over its raw bytes, then parses it.
///
/// json       the release document as stored
/// signature  the text of its .minisig file
/// trusted    keys of which one must have signed
/// errors     unauthorized: no trusted key made this signature, or the bytes were changed;
///            invalid_input: the signature or the document is malformed
[[nodiscard]] Result<Verified<manifests::Release>> verify_release(
    std::string_view json, std::string_view signature,
    const std::vector<SigningPublicKey>& trusted);

}  // namespace weir::keys
