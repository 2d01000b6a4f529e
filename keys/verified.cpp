#include "keys/verified.h"

#include <algorithm>

namespace weir::keys {

Result<Verified<manifests::Release>> verify_release(std::string_view json,
                                                    std::string_view signature,
                                                    const std::vector<SigningPublicKey>& trusted) {
  TRY_ASSIGN_IN(const KeyId signer, signer_of(signature), "release signature");
  const auto key = std::find_if(trusted.begin(), trusted.end(),
                                [&](const SigningPublicKey& each) { return each.id == signer; });
  if (key == trusted.end()) {
    std::string known;
    for (const SigningPublicKey& each : trusted) {
      known += (known.empty() ? "" : ", ") + print(each.id);
    }
    return fail(Errc::unauthorized, "release signature: made by key " + print(signer) +
                                        ", which is not trusted here (trusted: " +
                                        (known.empty() ? "none" : known) + ")");
  }
  TRY_IN(verify(*key, as_bytes(json), signature), "release signature");
  TRY_ASSIGN_IN(manifests::Release release, manifests::parse_release(json), "release");
  return Verified<manifests::Release>(std::move(release), print(signer),
                                      Digest::of(as_bytes(json)));
}

}  // namespace weir::keys
