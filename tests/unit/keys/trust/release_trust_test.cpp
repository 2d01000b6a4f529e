// Releases held to a trust. The cases marked TUF restate those of
// theupdateframework/tuf-conformance (test_updater_key_rotations, test_keys, test_expiration,
// test_rollback).
#include <doctest/doctest.h>

#include "keys/trust/trust.h"
#include "trust_fixture.h"

namespace weir::keys {
namespace {

using manifests::ChannelName;
using manifests::Trust;
using manifests::TrustState;
using testing::kNow;
using testing::People;
using testing::release_text;
using Who = std::vector<std::size_t>;

/// Versions signed by person 0, who alone is root.
Verified<Trust> verified(const People& people, const std::vector<Trust>& versions) {
  manifests::TrustFile file;
  for (const Trust& each : versions) {
    file.versions.push_back({print(each), people.sign_all({0}, print(each))});
  }
  auto out = verify_trust(print(file), {}, kNow);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  return std::move(*out);
}

Trust with_release_role(const People& people, std::uint64_t version, const Who& who,
                        std::uint32_t threshold) {
  Trust out = people.trust(version, {0}, 1);
  for (const std::size_t i : who) {
    if (i != 0) out.keys.push_back(people.key(i));
  }
  out.roles[manifests::Role::release] = people.role(who, threshold);
  return out;
}

ReleaseQuestion question(const TrustState& seen, const char* channel = "stable") {
  return {*ChannelName::parse(channel), seen, kNow, {}};
}

std::string refusal(const Result<Verified<manifests::Release>>& release) {
  return release ? "accepted" : release.error().message;
}

}  // namespace

TEST_CASE("TUF: releases are counted by the current role's threshold") {
  const People people(10);
  const struct {
    const char* name;
    Who keys;
    std::uint32_t threshold;
    Who signers;
    bool good;
  } cases[] = {
      {"1-of-1", {2}, 1, {2}, true},
      {"unused signatures", {1}, 1, {3, 1, 4}, true},
      {"not signed with the new key", {2}, 1, {1, 3, 4}, false},
      {"one signer is no longer there", {0, 1, 3, 4, 5}, 3, {0, 2, 4}, false},
      {"one signature is missing", {0, 1, 3, 4, 5}, 3, {0, 4}, false},
      {"3-of-5", {0, 1, 2, 3, 4}, 3, {0, 2, 4}, true},
      {"3-of-5, in another order", {0, 1, 2, 3, 4}, 3, {4, 0, 1}, true},
      {"nobody", {1}, 1, {}, false},
      {"twice the same", {1, 2}, 2, {1, 1}, false},
  };
  const std::string text = release_text("gateway-1", 1);
  for (const auto& [name, keys, threshold, signers, good] : cases) {
    const auto& shown = name;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto trust = verified(people, {with_release_role(people, 1, keys, threshold)});
    const TrustState seen;
    const auto release =
        verify_release(text, people.sign_all(signers, text), trust, question(seen));
    CHECK_MESSAGE(release.has_value() == good, refusal(release));
  }
}

TEST_CASE("a revoked signer is refused with a sentence that says who and why") {
  const People people(3);
  Trust second = with_release_role(people, 2, {2}, 1);
  second.revoked.push_back({people.key(1), "laptop stolen on the train"});
  const auto trust = verified(people, {with_release_role(people, 1, {1}, 1), second});
  const std::string text = release_text("gateway-1", 1);
  const TrustState seen;
  CHECK(
      refusal(verify_release(text, people.sign_all({1}, text), trust, question(seen))) ==
      "signed by 0 of the 1 keys it takes: key " + people.id(1) +
          " (person-1) signed it, but that key was revoked: laptop stolen on the train; let a key "
          "that still counts sign it");
  const auto both = verify_release(text, people.sign_all({1, 2}, text), trust, question(seen));
  REQUIRE(both.has_value());
  CHECK(both->signer() == people.id(2));
}

TEST_CASE("a key of another role does not sign releases") {
  const People people(2);
  Trust only = people.trust(1, {0}, 1);
  only.keys.push_back(people.key(1));
  only.roles[manifests::Role::boot_check] = people.role({1}, 1);
  const auto trust = verified(people, {only});
  const std::string text = release_text("gateway-1", 1);
  const TrustState seen;
  CHECK(refusal(verify_release(text, people.sign_all({1}, text), trust, question(seen)))
            .find("may not sign this kind of document") != std::string::npos);
}

TEST_CASE("a channel may have signers of its own, and releases of one are not for another") {
  const People people(2);
  Trust only = people.trust(1, {0}, 1);
  only.keys.push_back(people.key(1));
  only.channels.push_back({*ChannelName::parse("lab"), people.role({1}, 1)});
  const auto trust = verified(people, {only});
  const TrustState seen;
  const auto ask = [&](const std::string& text, std::size_t who, const char* channel) {
    return refusal(
        verify_release(text, people.sign_all({who}, text), trust, question(seen, channel)));
  };
  const std::string stable = release_text("g", 1, "stable"), lab = release_text("g", 1, "lab");
  CHECK(ask(stable, 0, "stable") == "accepted");
  CHECK(ask(lab, 1, "lab") == "accepted");
  CHECK(ask(lab, 0, "lab").find("may not sign") != std::string::npos);
  CHECK(ask(stable, 1, "stable").find("may not sign") != std::string::npos);
  CHECK(ask(stable, 1, "lab").find("is of channel 'stable', and 'lab' is asked for") !=
        std::string::npos);
  CHECK(ask(stable, 0, "beta").find("has no channel 'beta'") != std::string::npos);
}

TEST_CASE("TUF: rollback, freeze and two releases of one version are refused") {
  const People people(2);
  const auto trust = verified(people, {people.trust(1, {0}, 1)});
  const auto ask = [&](const std::string& text, const TrustState& seen,
                       const std::set<Digest>& running = {}) {
    return verify_release(text, people.sign_all({0}, text), trust,
                          {*ChannelName::parse("stable"), seen, kNow, running});
  };
  const std::string five = release_text("gateway-5", 5);
  const TrustState seen = remember({}, trust, *ask(five, {}));
  CHECK(seen.channels.begin()->second.front().version == 5);
  CHECK(refusal(ask(five, seen)) == "accepted");

  const std::string four = release_text("gateway-4", 4);
  const std::string rolled_back = refusal(ask(four, seen));
  CHECK(rolled_back.find("is version 4 of channel stable, but version 5 (release gateway-5) was "
                         "accepted here before: an old release") != std::string::npos);
  // The same name with other bytes: a mix. Another name: of the same age, and remembered too.
  const std::string changed = release_text("gateway-5", 5, "stable", 1);
  CHECK(refusal(ask(changed, seen)).find("two releases of one name cannot share a version") !=
        std::string::npos);
  const auto sister = ask(release_text("aside-5", 5), seen);
  REQUIRE_MESSAGE(sister.has_value(), sister.error().message);
  const TrustState both = remember(seen, trust, *sister);
  REQUIRE(both.channels.begin()->second.front().releases.size() == 2);
  CHECK(both.channels.begin()->second.front().releases.front().name == "aside-5");
  CHECK(remember(both, trust, *ask(five, both)) == both);
  CHECK(refusal(ask(changed, both)).find("cannot share a version") != std::string::npos);
  CHECK(refusal(ask(release_text("aside-4", 4), both))
            .find("version 5 (releases aside-5, gateway-5) was accepted") != std::string::npos);
  const TrustState next = remember(both, trust, *ask(release_text("aside-6", 6), both));
  CHECK(next.channels.begin()->second.front().releases.size() == 1);
  CHECK(refusal(ask(five, next)).find("is version 5 of channel stable, but version 6") !=
        std::string::npos);
  CHECK(refusal(ask(release_text("gateway-8", 8, "stable", 6), seen))
            .find("may only follow version 6 or later") != std::string::npos);
  CHECK(refusal(ask(release_text("gateway-8", 8, "stable", 5), seen)) == "accepted");
  CHECK(refusal(ask(release_text("old", 9, "stable", 0, kNow), seen)).find("expired at") !=
        std::string::npos);
  // What runs already may be started again, and moves nothing.
  const auto again = ask(four, seen, {Digest::of(as_bytes(four))});
  REQUIRE(again.has_value());
  CHECK(remember(seen, trust, *again) == seen);
}

TEST_CASE("TUF: after a fast-forward the stolen key is revoked, and versions go on from before") {
  const People people(3);
  const Trust first = with_release_role(people, 1, {1}, 1);
  Trust second = with_release_role(people, 2, {2}, 1);
  const auto before = verified(people, {first});
  const std::string enormous = release_text("evil", (1ULL << 53) - 1);
  const TrustState none;
  const TrustState blocked =
      remember(none, before,
               *verify_release(enormous, people.sign_all({1}, enormous), before, question(none)));
  const std::string next = release_text("gateway-6", 6);
  // Rotated only: the high version stands.
  const auto rotated = verified(people, {first, second});
  CHECK(refusal(verify_release(next, people.sign_all({2}, next), rotated, question(blocked)))
            .find("was accepted here before") != std::string::npos);
  second.revoked.push_back({people.key(1), "stolen"});
  const auto revoked = verified(people, {first, second});
  const auto release = verify_release(next, people.sign_all({2}, next), revoked, question(blocked));
  REQUIRE_MESSAGE(release.has_value(), release.error().message);
  CHECK(remember(blocked, revoked, *release).channels.begin()->second.front().version == 6);
}

TEST_CASE("a revoked signer's newest release leaves what others signed before it in force") {
  const People people(3);
  const Trust first = with_release_role(people, 1, {1, 2}, 1);
  Trust second = with_release_role(people, 2, {1}, 1);
  second.revoked.push_back({people.key(2), "stolen"});
  const auto before = verified(people, {first}), after = verified(people, {first, second});
  const auto ask = [&](const std::string& text, const Who& who, const Verified<Trust>& trust,
                       const TrustState& seen) {
    return verify_release(text, people.sign_all(who, text), trust, question(seen));
  };
  const std::string three = release_text("gateway-3", 3), five = release_text("gateway-5", 5);
  for (const std::uint64_t last : {std::uint64_t{6}, (std::uint64_t{1} << 53) - 1}) {
    CAPTURE(last);
    TrustState seen = remember({}, before, *ask(five, {1}, before, {}));
    seen = remember(seen, before, *ask(release_text("gateway-6", last), {2}, before, seen));
    CHECK(seen.channels.begin()->second.front().version == last);
    CHECK(refusal(ask(three, {1}, after, seen)).find("but version 5 (release gateway-5) was") !=
          std::string::npos);
    const auto six = ask(release_text("aside-6", 6), {1}, after, seen);
    REQUIRE_MESSAGE(six.has_value(), six.error().message);
    seen = remember(seen, after, *six);
    REQUIRE(seen.channels.begin()->second.size() == 1);  // of one signer, the newest is enough
    CHECK(seen.channels.begin()->second.front().version == 6);
    CHECK(refusal(ask(five, {1}, after, seen)).find("but version 6") != std::string::npos);
  }
}

TEST_CASE("a thief who signs a known release again does not make it their own") {
  const People people(3);
  const Trust first = with_release_role(people, 1, {1, 2}, 1);
  Trust second = with_release_role(people, 2, {1}, 1);
  second.revoked.push_back({people.key(2), "stolen"});
  const auto before = verified(people, {first}), after = verified(people, {first, second});
  const std::string three = release_text("gateway-3", 3), five = release_text("gateway-5", 5);
  TrustState seen;
  for (const std::size_t who : {1, 2}) {
    const auto release = verify_release(five, people.sign_all({who}, five), before, question(seen));
    REQUIRE(release.has_value());
    seen = remember(seen, before, *release);
  }
  CHECK(refusal(verify_release(three, people.sign_all({1}, three), after, question(seen)))
            .find("but version 5") != std::string::npos);
}

TEST_CASE("of a channel, so many versions by different signers are kept, and the newest of them") {
  const People people(7);
  const auto trust = verified(people, {with_release_role(people, 1, {0, 1, 2, 3, 4, 5, 6}, 1)});
  TrustState seen;
  for (unsigned signers = 1; signers < 128; ++signers) {  // every set of seven people but none
    Who who;
    for (std::size_t i = 0; i < 7; ++i) {
      if ((signers >> i & 1U) != 0) who.push_back(i);
    }
    const std::string text = release_text("g", signers);
    seen = remember(seen, trust,
                    *verify_release(text, people.sign_all(who, text), trust, question(seen)));
  }
  const auto& kept = seen.channels.begin()->second;
  REQUIRE(kept.size() == manifests::kMostSeenVersions);
  CHECK(kept.front().version == 127);
  CHECK(kept.back().version == 128 - manifests::kMostSeenVersions);
  CHECK(manifests::parse_trust_state(print(seen)).has_value());
}

TEST_CASE("a signed document of another shape is no release") {
  const People people(1);
  const auto trust = verified(people, {people.trust(1, {0}, 1)});
  const TrustState seen;
  const auto ask = [&](const std::string& text) {
    return refusal(verify_release(text, people.sign_all({0}, text), trust, question(seen)));
  };
  const std::string text = release_text("gateway-1", 1);
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  CHECK(ask(print(people.trust(2, {0}, 1))).find("must begin with \"type\"") != std::string::npos);
  CHECK(ask(replaced("{", "{\"x\": 1,")).find("must begin with \"type\"") != std::string::npos);
  CHECK(ask(replaced("\"name\"", "\"name\": \"x\", \"name\"")).find("appears twice") !=
        std::string::npos);
  CHECK(ask(replaced("\"size\": 8", "\"size\": 2147483648")).find("2 GiB") != std::string::npos);
  CHECK(ask(replaced("\"channel\": \"stable\",", "")).find("channel: missing") !=
        std::string::npos);
  CHECK(ask(text + std::string(17 << 20, ' ')).find("larger than 16 MiB") != std::string::npos);
  manifests::Release plain = *manifests::parse_release(text);
  plain.terms.reset();
  CHECK(ask(print(plain)).find("states no version, channel and expiry") != std::string::npos);
}

}  // namespace weir::keys
