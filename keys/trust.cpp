#include "keys/trust.h"

#include <algorithm>
#include <array>
#include <map>

#include "manifests/size_limits.h"

namespace weir::keys {
namespace {

using manifests::Role;
using manifests::Trust;
using manifests::TrustRole;
using manifests::TrustState;

constexpr std::size_t kLargestRelease = 16 << 20;
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
    return called(revoked->key) + " signed it, but that key was revoked: " + revoked->why;
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
    TRY_ASSIGN(const KeyId signer, signer_of(signature));
    const std::string id = print(signer);
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

Result<Verified<Trust>> verify_trust(std::string_view text, const TrustState& seen, UtcTime now) {
  TRY_ASSIGN(const manifests::TrustFile file, manifests::parse_trust_file(text));
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
    TRY_ASSIGN(const KeyId signer, signer_of(signature));
    const manifests::TrustKey* known = find_key(trust, print(signer));
    if (known == nullptr) continue;
    TRY_ASSIGN(const SigningPublicKey key, parse_public_key(known->public_key));
    if (verify(key, as_bytes(last.document), signature)) signed_by.insert(print(signer));
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

namespace {

const manifests::TrustChannel* find_channel(const Trust& trust,
                                            const manifests::ChannelName& name) {
  const auto found = std::find_if(trust.channels.begin(), trust.channels.end(),
                                  [&](const auto& it) { return it.name == name; });
  return found == trust.channels.end() ? nullptr : &*found;
}

const TrustRole& release_role(const Trust& trust, const manifests::TrustChannel& channel) {
  return channel.release ? *channel.release : trust.roles.at(Role::release);
}

/// A key that signed the newest release may have been revoked since, and whoever stole it may have
/// signed an enormous version to block all others. Then that version is forgotten.
bool still_counts(const Trust& trust, const TrustRole& role, const manifests::SeenRelease& seen) {
  const auto revoked = std::count_if(seen.signers.begin(), seen.signers.end(), [&](const auto& id) {
    return find_revoked(trust, id) != nullptr;
  });
  return revoked == 0 || seen.signers.size() - static_cast<std::size_t>(revoked) >= role.threshold;
}

/// What of it still counts; no release: nothing was seen.
manifests::SeenVersion what_counts(const Trust& trust, const TrustRole& role,
                                   manifests::SeenVersion seen) {
  std::erase_if(seen.releases, [&](const auto& it) { return !still_counts(trust, role, it); });
  return seen;
}

std::string names_of(const manifests::SeenVersion& seen) {
  std::vector<std::string> names;
  for (const auto& each : seen.releases) names.push_back(each.name);
  return (names.size() == 1 ? "release " : "releases ") + joined(names, ", ");
}

const manifests::SeenRelease* find_seen(const manifests::SeenVersion& seen,
                                        const std::string& name) {
  const auto found = std::find_if(seen.releases.begin(), seen.releases.end(),
                                  [&](const auto& it) { return it.name == name; });
  return found == seen.releases.end() ? nullptr : &*found;
}

Status check_sizes(const manifests::Release& release) {
  const auto too_large = [](const manifests::Blob& blob) {
    return blob.size > manifests::kLargestBlob;
  };
  const bool layers = std::any_of(release.layers.begin(), release.layers.end(),
                                  [&](const auto& layer) { return too_large(layer.blob); });
  if (!layers && !too_large(release.kernel.image)) return {};
  return fail(Errc::invalid_input, "names a blob of 2 GiB or more, which no node could boot");
}

Status check_version(const manifests::ReleaseTerms& terms, const std::string& name,
                     const Digest& digest, const manifests::SeenVersion& seen) {
  const std::string channel = terms.channel.string();
  const std::string newest =
      "version " + std::to_string(seen.version) + " (" + names_of(seen) + ")";
  if (terms.version < seen.version) {
    return fail(Errc::unauthorized,
                "is version " + std::to_string(terms.version) + " of channel " + channel +
                    ", but " + newest +
                    " was accepted here before: an old release, perhaps one with known holes, is "
                    "being brought back; to go back on purpose, sign the old content as a new, "
                    "higher version");
  }
  // Images of other names may be of the same age: what is locked on one day is one version.
  const manifests::SeenRelease* same = find_seen(seen, name);
  if (terms.version == seen.version && same != nullptr && digest != same->digest) {
    return fail(Errc::unauthorized,
                "claims to be version " + std::to_string(terms.version) + " of channel " + channel +
                    ", which was accepted here before as another document (" +
                    same->digest.string() +
                    "): two releases of one name cannot share a version; lock again, or set a "
                    "higher release.version in the image manifest, and build again");
  }
  if (terms.version > seen.version && terms.replaces_from > seen.version) {
    return fail(Errc::unauthorized, "may only follow version " +
                                        std::to_string(terms.replaces_from) +
                                        " or later of channel " + channel + ", and here " + newest +
                                        " was the last: deploy one in between first");
  }
  return {};
}

Status check_terms(const manifests::Release& release, const Digest& digest, const Trust& trust,
                   const TrustRole& role, const ReleaseQuestion& question) {
  const manifests::ReleaseTerms& terms = *release.terms;
  if (question.running.contains(digest)) return {};
  if (terms.expires <= question.now) {
    return fail(Errc::unauthorized,
                "expired at " + terms.expires.string() +
                    ": perhaps newer releases are being withheld; build and sign a new one");
  }
  const auto seen = question.seen.channels.find(terms.channel);
  if (seen == question.seen.channels.end()) return {};
  const auto counts = what_counts(trust, role, seen->second);
  if (counts.releases.empty()) return {};
  return check_version(terms, release.name.string(), digest, counts);
}

}  // namespace

Result<Verified<manifests::Release>> verify_release(std::string_view json,
                                                    const std::vector<std::string>& signatures,
                                                    const Verified<Trust>& trust,
                                                    const ReleaseQuestion& question) {
  // The size first: nothing is signed in part, and nothing beyond the limit is looked at.
  if (json.size() > kLargestRelease) {
    return fail(Errc::exhausted, "the release document is larger than 16 MiB");
  }
  const manifests::TrustChannel* channel = find_channel(*trust, question.channel);
  if (channel == nullptr) {
    return fail(Errc::unauthorized, "the trust (version " + std::to_string(trust->version) +
                                        ") has no channel '" + question.channel.string() + "'");
  }
  const TrustRole& role = release_role(*trust, *channel);
  TRY_ASSIGN(const auto signers, count_signers(*trust, role, as_bytes(json), signatures));
  TRY(manifests::check_begins_with_type(json, "weir.release/1"));
  TRY_ASSIGN(manifests::Release release, manifests::parse_release(json));
  if (!release.terms) {
    return fail(Errc::unauthorized,
                "states no version, channel and expiry: build it again with this weir-builder");
  }
  if (release.terms->channel != question.channel) {
    return fail(Errc::unauthorized, "is of channel '" + release.terms->channel.string() +
                                        "', and '" + question.channel.string() +
                                        "' is asked for: it was not made for here");
  }
  TRY(check_sizes(release));
  const Digest digest = Digest::of(as_bytes(json));
  TRY(check_terms(release, digest, *trust, role, question));
  return Verified<manifests::Release>(std::move(release), joined(signers, ", "), digest);
}

TrustState remember(TrustState seen, const Verified<Trust>& trust) {
  // Somebody else may have remembered a newer one meanwhile.
  if (seen.trust && seen.trust->version > trust->version) return seen;
  seen.trust = manifests::SeenTrust{trust->version, trust.digest()};
  return seen;
}

TrustState remember(TrustState seen, const Verified<Trust>& trust,
                    const Verified<manifests::Release>& release) {
  seen = remember(std::move(seen), trust);
  const manifests::ReleaseTerms& terms = *release->terms;
  const manifests::TrustChannel* channel = find_channel(*trust, terms.channel);
  manifests::SeenVersion before;
  if (const auto found = seen.channels.find(terms.channel); found != seen.channels.end()) {
    before = channel == nullptr
                 ? found->second
                 : what_counts(*trust, release_role(*trust, *channel), found->second);
  }
  const std::string name = release->name.string();
  if (!before.releases.empty()) {
    const manifests::SeenRelease* same = find_seen(before, name);
    const bool other = same != nullptr && same->digest != release.digest();
    if (before.version > terms.version || (before.version == terms.version && other)) return seen;
  }
  if (before.version != terms.version) before = {terms.version, {}};
  std::erase_if(before.releases, [&](const auto& it) { return it.name == name; });
  manifests::SeenRelease now{name, release.digest(), {}};
  for (std::string_view rest = release.signer(); !rest.empty();) {
    const auto end = std::min(rest.find(", "), rest.size());
    now.signers.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  const auto place = std::find_if(before.releases.begin(), before.releases.end(),
                                  [&](const auto& it) { return name < it.name; });
  before.releases.insert(place, std::move(now));
  seen.channels.insert_or_assign(terms.channel, std::move(before));
  return seen;
}

}  // namespace weir::keys
