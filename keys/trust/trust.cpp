#include "keys/trust/trust.h"

#include <algorithm>
#include <array>
#include <map>

namespace weir::keys {
namespace {

using manifests::Role;
using manifests::Trust;
using manifests::TrustRole;
using manifests::TrustState;

constexpr std::size_t kMostSignatures = 64;

const manifests::TrustKey* find_key(const Trust& trust, std::string_view id) {
  const auto found = std::find_if(trust.keys.begin(), trust.keys.end(), [&](const auto& key) {
    return manifests::key_id_of(key.public_key) == id;
  });
  return found == trust.keys.end() ? nullptr : &*found;
}

const manifests::RevokedKey* find_revoked(const Trust& trust, std::string_view id) {
  const auto found = std::find_if(trust.revoked.begin(), trust.revoked.end(), [&](const auto& it) {
    return manifests::key_id_of(it.key.public_key) == id;
  });
  return found == trust.revoked.end() ? nullptr : &*found;
}

std::string called(const manifests::TrustKey& key) {
  return "key " + manifests::key_id_of(key.public_key) + " (" + key.name + ")";
}

std::string joined(const std::vector<std::string>& items, std::string_view between) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : std::string(between)) + item;
  return out;
}

/// Why the signature of key `id`, which does not count, does not.
std::string objection(const Trust& trust, const std::string& id, const Trust* other) {
  if (const auto* revoked = find_revoked(trust, id)) {
    return called(revoked->key) + " signed it, but that key was revoked: " + revoked->why +
           "; let a key that still counts sign it";
  }
  if (const auto* known = find_key(trust, id)) {
    return called(*known) + " signed it, but may not sign this kind of document";
  }
  const std::string version = std::to_string(trust.version);
  const auto* elsewhere = other == nullptr ? nullptr : find_key(*other, id);
  if (elsewhere != nullptr) {
    return called(*elsewhere) + " signed it, but is " +
           (other->version < trust.version ? "no longer" : "not yet") + " in version " + version;
  }
  return "key " + id + " signed it, but is not in the trust";
}

}  // namespace

Result<std::vector<std::string>> count_signers(const Trust& trust, const TrustRole& role,
                                               Bytes message,
                                               const std::vector<std::string>& signatures,
                                               const Trust* other) {
  if (signatures.size() > kMostSignatures) {
    return fail(Errc::exhausted, "more than " + std::to_string(kMostSignatures) + " signatures");
  }
  std::set<std::string> claimed;
  std::map<std::array<std::uint8_t, 32>, std::string> counted;  // by public key: nobody twice
  std::vector<std::string> objections;
  for (const std::string& signature : signatures) {
    const auto signer = signer_of(signature);
    if (!signer) {
      objections.push_back("a signature cannot be read: " + signer.error().message);
      continue;
    }
    const std::string id = print(*signer);
    if (!claimed.insert(id).second) {
      return fail(Errc::unauthorized, "two signatures claim to be of key " + id +
                                          ", and every key signs once: remove one of them");
    }
    if (std::find(role.keys.begin(), role.keys.end(), id) == role.keys.end()) {
      objections.push_back(objection(trust, id, other));
      continue;
    }
    const manifests::TrustKey* known = find_key(trust, id);
    if (known == nullptr) return fail(Errc::bug, "a role names key " + id + ", which is not there");
    TRY_ASSIGN(const SigningPublicKey key, parse_public_key(known->public_key));
    if (const Status fits = verify(key, message, signature); fits) {
      counted.emplace(key.key, id);
    } else {
      objections.push_back("the signature of " + called(*known) +
                           " does not fit these bytes: they were changed after signing, or it "
                           "belongs to another document");
    }
  }
  if (counted.size() < role.threshold) {
    if (signatures.empty()) objections.emplace_back("nobody signed it");
    return fail(Errc::unauthorized, "signed by " + std::to_string(counted.size()) + " of the " +
                                        std::to_string(role.threshold) + " keys it takes" +
                                        (objections.empty() ? "" : ": ") +
                                        joined(objections, "; "));
  }
  std::vector<std::string> out;
  out.reserve(counted.size());
  for (const auto& [_, id] : counted) out.push_back(id);
  std::sort(out.begin(), out.end());
  return out;
}

namespace {

Status check_successor(const Trust& before, const Trust& after) {
  if (after.version != before.version + 1) {
    return fail(Errc::unauthorized, "follows version " + std::to_string(before.version) +
                                        " and says it is version " + std::to_string(after.version) +
                                        ": versions have no gaps");
  }
  for (const manifests::RevokedKey& each : before.revoked) {
    const std::string id = manifests::key_id_of(each.key.public_key);
    const auto* still = find_revoked(after, id);
    if (still == nullptr || still->key.public_key != each.key.public_key) {
      return fail(Errc::unauthorized,
                  "forgets that " + called(each.key) + " was revoked: a revocation is for ever");
    }
  }
  return {};
}

}  // namespace

Result<Verified<Trust>> verify_trust(std::string_view text, const TrustState& seen, UtcTime now,
                                     const std::optional<Digest>& pin) {
  TRY_ASSIGN(const manifests::TrustFile file, manifests::parse_trust_file(text));
  const Digest first = Digest::of(as_bytes(file.versions.front().document));
  if (pin && first != *pin) {
    return fail(Errc::unauthorized, "trust version 1: has the digest " + first.string() + ", and " +
                                        pin->string() +
                                        " is pinned: this is the trust of another fleet");
  }
  std::optional<Trust> before;
  std::optional<Digest> digest;
  std::vector<std::string> signers;
  bool met = !seen.trust;
  for (const manifests::SignedTrust& each : file.versions) {
    const std::string number = std::to_string(before ? before->version + 1 : 1);
    const std::string where = "trust version " + number;
    TRY_ASSIGN_IN(Trust trust, manifests::parse_trust(each.document), where);
    const Bytes bytes = as_bytes(each.document);
    if (before) {
      TRY_IN(check_successor(*before, trust), where);
      TRY_IN(count_signers(*before, before->roles.at(Role::root), bytes, each.signatures, &trust),
             where + ": by the root keys of version " + std::to_string(before->version));
    } else if (trust.version != 1) {
      return fail(Errc::unauthorized, where + ": the file begins with version " +
                                          std::to_string(trust.version) + ", not with 1");
    }
    TRY_ASSIGN_IN(signers,
                  count_signers(trust, trust.roles.at(Role::root), bytes, each.signatures,
                                before ? &*before : nullptr),
                  where + ": by its own root keys");
    digest = Digest::of(bytes);
    if (seen.trust && trust.version == seen.trust->version) {
      if (*digest != seen.trust->digest) {
        return fail(Errc::unauthorized,
                    where + ": is not the version " + number +
                        " that was accepted here before: this is the trust of another fleet, or "
                        "somebody made a second history");
      }
      met = true;
    }
    before = std::move(trust);
  }
  const std::string newest = std::to_string(before->version);
  if (!met) {
    return fail(Errc::unauthorized, "trust: the file ends with version " + newest +
                                        ", but version " + std::to_string(seen.trust->version) +
                                        " was accepted here before: somebody brings back an old "
                                        "trust; fetch the current file");
  }
  if (before->expires <= now) {
    return fail(Errc::unauthorized,
                "trust version " + newest + " expired at " + before->expires.string() +
                    ": fetch the current file, or let the root keys sign a new version "
                    "(weir-keys trust change --expires)");
  }
  return Verified<Trust>(std::move(*before), joined(signers, ", "), *digest);
}

namespace {

struct Missing {
  std::size_t count = 0;  ///< how many more it takes
  std::string of;         ///< the root keys that did not sign
  bool operator==(const Missing&) const = default;
};

Result<Missing> missing_of(const Trust& trust, const manifests::SignedTrust& last) {
  const TrustRole& root = trust.roles.at(Role::root);
  std::set<std::string> signed_by;
  for (const std::string& signature : last.signatures) {
    const auto signer = signer_of(signature);
    const auto* known = signer ? find_key(trust, print(*signer)) : nullptr;
    if (known == nullptr) continue;
    TRY_ASSIGN(const SigningPublicKey key, parse_public_key(known->public_key));
    if (verify(key, as_bytes(last.document), signature)) signed_by.insert(print(*signer));
  }
  std::vector<std::string> others;
  std::size_t counted = 0;
  for (const std::string& id : root.keys) {
    if (signed_by.contains(id)) {
      ++counted;
    } else if (const auto* key = find_key(trust, id)) {
      others.push_back(key->name + " (" + id + ")");
    }
  }
  if (counted >= root.threshold) return Missing{};
  return Missing{root.threshold - counted, joined(others, ", ")};
}

/// "1 more of the root keys of version 2: bob (0123...)", or nothing.
std::string sentence(const Missing& missing, const std::string& versions) {
  if (missing.count == 0) return {};
  return std::to_string(missing.count) + " more of the root keys of " + versions + ": " +
         missing.of;
}

}  // namespace

Result<std::string> missing_signatures(const manifests::TrustFile& file) {
  const manifests::SignedTrust& last = file.versions.back();
  TRY_ASSIGN(const Trust trust, manifests::parse_trust(last.document));
  TRY_ASSIGN(const Missing own, missing_of(trust, last));
  const std::string version = std::to_string(trust.version);
  if (file.versions.size() == 1) return sentence(own, "version " + version);
  TRY_ASSIGN(const Trust before,
             manifests::parse_trust(file.versions[file.versions.size() - 2].document));
  TRY_ASSIGN(const Missing theirs, missing_of(before, last));
  const std::string older = std::to_string(before.version);
  if (own == theirs) return sentence(own, "versions " + older + " and " + version);
  const std::string first = sentence(theirs, "version " + older),
                    second = sentence(own, "version " + version);
  return first + (first.empty() || second.empty() ? "" : "; and ") + second;
}

}  // namespace weir::keys
