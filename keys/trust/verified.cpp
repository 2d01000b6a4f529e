#include "keys/trust/verified.h"

#include <algorithm>

#include "manifests/base/size_limits.h"
#include "manifests/documents/trust.h"

namespace weir::keys {
namespace {

constexpr std::size_t kLargestRelease = 16 << 20;

Status check_sizes(const manifests::Release& release) {
  const auto too_large = [](const manifests::Blob& blob) {
    return blob.size > manifests::kLargestBlob;
  };
  const bool layers = std::any_of(release.layers.begin(), release.layers.end(),
                                  [&](const auto& layer) { return too_large(layer.blob); });
  if (!layers && !too_large(release.kernel.image)) return {};
  return fail(Errc::invalid_input, "names a blob of 2 GiB or more, which no node could boot");
}

}  // namespace

Result<manifests::Release> parse_signed_release(std::string_view json) {
  if (json.size() > kLargestRelease) {
    return fail(Errc::exhausted, "the release document is larger than 16 MiB");
  }
  TRY(manifests::check_begins_with_type(json, "weir.release/1"));
  TRY_ASSIGN(manifests::Release release, manifests::parse_release(json));
  TRY(check_sizes(release));
  return release;
}

Status check_not_expired(const manifests::ReleaseTerms& terms, UtcTime now) {
  if (now < terms.expires) return {};
  return fail(Errc::unauthorized,
              "expired at " + terms.expires.string() +
                  ": perhaps newer releases are being withheld; build and sign a new one");
}

Result<Verified<manifests::Release>> verify_release(std::string_view json,
                                                    std::string_view signature,
                                                    const std::vector<SigningPublicKey>& trusted,
                                                    UtcTime now, const std::set<Digest>& running) {
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
  TRY_ASSIGN_IN(manifests::Release release, parse_signed_release(json), "release");
  const Digest digest = Digest::of(as_bytes(json));
  if (release.terms && !running.contains(digest)) TRY(check_not_expired(*release.terms, now));
  return Verified<manifests::Release>(std::move(release), print(signer), digest);
}

}  // namespace weir::keys
