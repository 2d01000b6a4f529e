#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "keys/trust/trust.h"

// Releases held to a trust, and what is remembered of them.
namespace weir::keys {
namespace {

using manifests::Role;
using manifests::SeenRelease;
using manifests::SeenVersion;
using manifests::SeenVersions;
using manifests::Trust;
using manifests::TrustRole;
using manifests::TrustState;

const manifests::TrustChannel* find_channel(const Trust& trust,
                                            const manifests::ChannelName& name) {
  const auto found = std::find_if(trust.channels.begin(), trust.channels.end(),
                                  [&](const auto& it) { return it.name == name; });
  return found == trust.channels.end() ? nullptr : &*found;
}

const TrustRole& release_role(const Trust& trust, const manifests::TrustChannel& channel) {
  return channel.release ? *channel.release : trust.roles.at(Role::release);
}

bool is_revoked(const Trust& trust, const std::string& id) {
  return std::any_of(trust.revoked.begin(), trust.revoked.end(), [&](const auto& each) {
    return manifests::key_id_of(each.key.public_key) == id;
  });
}

/// A key that signed a release may have been revoked since, and whoever stole it may have signed an
/// enormous version to block all others. Then that release is forgotten.
bool still_counts(const Trust& trust, const TrustRole& role, const SeenRelease& seen) {
  const auto revoked = std::count_if(seen.signers.begin(), seen.signers.end(),
                                     [&](const auto& id) { return is_revoked(trust, id); });
  return revoked == 0 || seen.signers.size() - static_cast<std::size_t>(revoked) >= role.threshold;
}

void drop_empty(SeenVersions& versions) {
  std::erase_if(versions, [](const SeenVersion& each) { return each.releases.empty(); });
}

/// What of it still counts; none: nothing was seen.
SeenVersions what_counts(const Trust& trust, const TrustRole& role, SeenVersions seen) {
  for (SeenVersion& version : seen) {
    std::erase_if(version.releases, [&](const auto& it) { return !still_counts(trust, role, it); });
  }
  drop_empty(seen);
  return seen;
}

/// An older version only matters once no newer one counts any more. Whether a release counts hangs
/// on its signers alone, so it is of no use beside a newer one by the same.
void drop_outlived(SeenVersions& versions) {
  std::set<std::vector<std::string>> newer;
  for (SeenVersion& version : versions) {
    std::erase_if(version.releases, [&](const auto& it) { return newer.contains(it.signers); });
    for (const SeenRelease& each : version.releases) newer.insert(each.signers);
  }
  drop_empty(versions);
  if (versions.size() > manifests::kMostSeenVersions) {
    versions.erase(versions.begin() + manifests::kMostSeenVersions, versions.end());
  }
}

std::string names_of(const SeenVersion& seen) {
  std::string names;
  for (const auto& each : seen.releases) names += (names.empty() ? "" : ", ") + each.name;
  return (seen.releases.size() == 1 ? "release " : "releases ") + names;
}

const SeenRelease* find_seen(const SeenVersion& seen, const std::string& name) {
  const auto found = std::find_if(seen.releases.begin(), seen.releases.end(),
                                  [&](const auto& it) { return it.name == name; });
  return found == seen.releases.end() ? nullptr : &*found;
}

Status check_version(const manifests::ReleaseTerms& terms, const std::string& name,
                     const Digest& digest, const SeenVersion& seen) {
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
  const SeenRelease* same = find_seen(seen, name);
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
  TRY(check_not_expired(terms, question.now));
  const auto seen = question.seen.channels.find(terms.channel);
  if (seen == question.seen.channels.end()) return {};
  const auto counts = what_counts(trust, role, seen->second);
  if (counts.empty()) return {};
  return check_version(terms, release.name.string(), digest, counts.front());
}

/// Puts a release among those of its version. Signed by others than before, it is known to be
/// signed by both: whose key is stolen must not take somebody else's place.
void note(SeenVersion& version, SeenRelease release) {
  auto& releases = version.releases;
  auto place = std::find_if(releases.begin(), releases.end(),
                            [&](const auto& it) { return !(it.name < release.name); });
  if (place == releases.end() || place->name != release.name) {
    releases.insert(place, std::move(release));
    return;
  }
  std::set<std::string> signers(place->signers.begin(), place->signers.end());
  signers.insert(release.signers.begin(), release.signers.end());
  place->signers.assign(signers.begin(), signers.end());
}

}  // namespace

Result<Verified<manifests::Release>> verify_release(std::string_view json,
                                                    const std::vector<std::string>& signatures,
                                                    const Verified<Trust>& trust,
                                                    const ReleaseQuestion& question) {
  const manifests::TrustChannel* channel = find_channel(*trust, question.channel);
  if (channel == nullptr) {
    return fail(Errc::unauthorized, "the trust (version " + std::to_string(trust->version) +
                                        ") has no channel '" + question.channel.string() + "'");
  }
  const TrustRole& role = release_role(*trust, *channel);
  TRY_ASSIGN(const auto signers, count_signers(*trust, role, as_bytes(json), signatures));
  TRY_ASSIGN(manifests::Release release, parse_signed_release(json));
  if (!release.terms) {
    return fail(Errc::unauthorized,
                "states no version, channel and expiry: build it again with this weir-builder");
  }
  if (release.terms->channel != question.channel) {
    return fail(Errc::unauthorized, "is of channel '" + release.terms->channel.string() +
                                        "', and '" + question.channel.string() +
                                        "' is asked for: it was not made for here");
  }
  const Digest digest = Digest::of(as_bytes(json));
  TRY(check_terms(release, digest, *trust, role, question));
  std::string by;
  for (const std::string& id : signers) by += (by.empty() ? "" : ", ") + id;
  return Verified<manifests::Release>(std::move(release), std::move(by), digest);
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
  SeenVersions versions;
  if (const auto found = seen.channels.find(terms.channel); found != seen.channels.end()) {
    versions = channel == nullptr
                   ? found->second
                   : what_counts(*trust, release_role(*trust, *channel), found->second);
  }
  SeenRelease now{release->name.string(), release.digest(), {}};
  for (std::string_view rest = release.signer(); !rest.empty();) {
    const auto end = std::min(rest.find(", "), rest.size());
    now.signers.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  if (!versions.empty()) {
    const SeenVersion& newest = versions.front();
    const SeenRelease* same = find_seen(newest, now.name);
    const bool other = same != nullptr && same->digest != now.digest;
    if (newest.version > terms.version || (newest.version == terms.version && other)) return seen;
  }
  if (versions.empty() || versions.front().version != terms.version) {
    versions.insert(versions.begin(), SeenVersion{terms.version, {}});
  }
  note(versions.front(), std::move(now));
  drop_outlived(versions);
  seen.channels.insert_or_assign(terms.channel, std::move(versions));
  return seen;
}

}  // namespace weir::keys
