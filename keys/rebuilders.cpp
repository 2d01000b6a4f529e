#include "keys/rebuilders.h"

#include <algorithm>

#include "manifests/rebuild_statement.h"

namespace weir::keys {
namespace {

bool signed_by(const SigningPublicKey& key, const SignedText& text, const Digest& release) {
  if (!verify(key, as_bytes(text.json), text.signature)) return false;
  const auto statement = manifests::parse_rebuild_statement(text.json);
  return statement && statement->release_digest == release;
}

}  // namespace

Result<std::vector<SigningPublicKey>> require_rebuilders(
    const std::vector<SignedText>& found, const Digest& release,
    const std::vector<SigningPublicKey>& rebuilders, std::size_t threshold) {
  std::vector<SigningPublicKey> distinct, out;
  for (const SigningPublicKey& key : rebuilders) {
    const bool known = std::any_of(distinct.begin(), distinct.end(),
                                   [&](const auto& other) { return other.key == key.key; });
    if (!known) distinct.push_back(key);
  }
  if (threshold == 0 || threshold > distinct.size()) {
    return fail(Errc::invalid_input, std::to_string(threshold) + " rebuilders are demanded of " +
                                         std::to_string(distinct.size()) + " distinct keys");
  }
  std::string missing;
  for (const SigningPublicKey& key : distinct) {
    const bool has = std::any_of(rebuilders.begin(), rebuilders.end(), [&](const auto& each) {
      return each.key == key.key && std::any_of(found.begin(), found.end(), [&](const auto& text) {
               return signed_by(each, text, release);
             });
    });
    if (has) {
      out.push_back(key);
    } else {
      missing += (missing.empty() ? "" : ", ") + print(key.id);
    }
  }
  if (out.size() >= threshold) return out;
  return fail(Errc::unauthorized, "was rebuilt by " + std::to_string(out.size()) + " of the " +
                                      std::to_string(threshold) +
                                      " demanded; no statement about it verifies from " + missing);
}

}  // namespace weir::keys
