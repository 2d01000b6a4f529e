// Chains of trust versions. The cases marked TUF are those of the public conformance suite of The
// Update Framework (theupdateframework/tuf-conformance: test_updater_key_rotations, test_keys,
// test_expiration, test_rollback, test_basic), restated for this format.
#include "keys/trust/trust.h"

#include <doctest/doctest.h>

#include "trust_fixture.h"

namespace weir::keys {
namespace {

using manifests::Trust;
using manifests::TrustFile;
using manifests::TrustState;
using testing::kNow;
using testing::People;
using Who = std::vector<std::size_t>;

struct Version {
  Who keys;
  std::uint32_t threshold;
  Who signers;
};

TrustFile chain(const People& people, const std::vector<Version>& versions) {
  TrustFile out;
  for (const Version& each : versions) {
    const std::string text =
        print(people.trust(out.versions.size() + 1, each.keys, each.threshold));
    out.versions.push_back({text, people.sign_all(each.signers, text)});
  }
  return out;
}

std::string refusal(const TrustFile& file, const TrustState& seen = {}, UtcTime now = kNow) {
  const auto verified = verify_trust(print(file), seen, now);
  return verified ? "accepted" : verified.error().message;
}

TrustState state_after(const TrustFile& file) {
  const auto verified = verify_trust(print(file), {}, kNow);
  REQUIRE_MESSAGE(verified.has_value(), verified.error().message);
  return remember({}, *verified);
}

}  // namespace

TEST_CASE("TUF: root rotations") {
  const People people(10);
  const struct {
    const char* name;
    std::vector<Version> versions;
    bool good;
  } cases[] = {
      {"1-of-1 rotation", {{{1}, 1, {1}}, {{2}, 1, {2, 1}}, {{2}, 1, {2}}}, true},
      {"1-of-1 rotation, unused signatures",
       {{{1}, 1, {3, 1, 4}}, {{2}, 1, {3, 2, 1, 4}}, {{2}, 1, {3, 2, 4}}},
       true},
      {"3-of-5, different signers",
       {{{0, 1, 2, 3, 4}, 3, {0, 2, 4}},
        {{0, 1, 2, 3, 4}, 3, {0, 4, 1}},
        {{0, 1, 2, 3, 4}, 3, {0, 1, 3}}},
       true},
      {"3-of-5, one key rotated",
       {{{0, 1, 2, 3, 4}, 3, {0, 2, 4}}, {{0, 1, 3, 4, 5}, 3, {0, 4, 1}}},
       true},
      {"3-of-5, one key rotated, with an intermediate step",
       {{{0, 1, 2, 3, 4}, 3, {0, 2, 4}},
        {{0, 1, 3, 4, 5}, 3, {0, 2, 4, 5}},
        {{0, 1, 3, 4, 5}, 3, {0, 4, 5}}},
       true},
      {"3-of-5, all keys rotated",
       {{{0, 1, 2, 3, 4}, 3, {0, 2, 4}},
        {{5, 6, 7, 8, 9}, 3, {0, 2, 4, 5, 6, 7}},
        {{5, 6, 7, 8, 9}, 3, {5, 6, 7}}},
       true},
      {"1-of-3 becomes 2-of-3", {{{1, 2, 3}, 1, {1}}, {{1, 2, 3}, 2, {1, 2}}}, true},
      {"2-of-3 becomes 1-of-3",
       {{{1, 2, 3}, 2, {1, 2}}, {{1, 2, 3}, 1, {1, 2}}, {{1, 2, 3}, 1, {1}}},
       true},
      {"1-of-1 becomes 2-of-2", {{{1}, 1, {1}}, {{1, 2}, 2, {1, 2}}}, true},
      {"not signed with the old key", {{{1}, 1, {1}}, {{2}, 1, {2, 3, 4}}}, false},
      {"not signed with the new key", {{{1}, 1, {1}}, {{2}, 1, {1, 3, 4}}}, false},
      {"not signed with 3 new keys",
       {{{0, 1, 2, 3, 4}, 3, {0, 2, 4}}, {{0, 1, 3, 4, 5}, 3, {0, 2, 4}}},
       false},
      {"not signed with 3 old keys",
       {{{0, 1, 2, 3, 4}, 3, {0, 2, 4}}, {{0, 1, 3, 4, 5}, 3, {0, 4, 5}}},
       false},
      {"a higher threshold is not reached", {{{1, 2, 3}, 1, {1}}, {{1, 2, 3}, 2, {2}}}, false},
      {"the old threshold is not reached", {{{1, 2, 3}, 2, {1, 2}}, {{1, 2, 3}, 1, {1}}}, false},
  };
  for (const auto& [name, versions, good] : cases) {
    const auto& shown = name;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const TrustFile file = chain(people, versions);
    const auto verified = verify_trust(print(file), {}, kNow);
    CHECK_MESSAGE(verified.has_value() == good, refusal(file));
    if (verified) CHECK((*verified)->version == versions.size());
    if (!verified) CHECK(verified.error().code == Errc::unauthorized);
  }
}

TEST_CASE("TUF: an unsigned or a wrongly signed first version is refused") {
  const People people(3);
  CHECK(refusal(chain(people, {{{1}, 1, {}}})).find("nobody signed it") != std::string::npos);
  CHECK(refusal(chain(people, {{{1}, 1, {2}}})).find("is not in the trust") != std::string::npos);
  TrustFile changed = chain(people, {{{1}, 1, {1}}});
  changed.versions[0].document.back() = ' ';
  CHECK(refusal(changed).find("does not fit these bytes") != std::string::npos);
}

TEST_CASE("TUF: two signatures of one key are refused, also where enough others signed") {
  const People people(3);
  for (const Who& signers : {Who{0, 0}, Who{0, 1, 1}}) {
    const auto message = refusal(chain(people, {{{0, 1, 2}, 2, signers}}));
    CHECK(message.find("every key signs once") != std::string::npos);
  }
}

TEST_CASE("TUF: a wrong signature beside enough right ones does no harm") {
  const People people(3);
  TrustFile file = chain(people, {{{0, 1, 2}, 2, {0, 1}}});
  file.versions[0].signatures.push_back(people.sign(2, "something else"));
  CHECK(refusal(file) == "accepted");
  file = chain(people, {{{0, 1, 2}, 2, {0}}});
  file.versions[0].signatures.push_back(people.sign(2, "something else"));
  CHECK(refusal(file).find("signed by 1 of the 2 keys it takes") != std::string::npos);
}

TEST_CASE("a malformed signature beside enough good ones does no harm") {
  const People people(3);
  for (const std::string& broken :
       {std::string("nonsense"), std::string(), std::string("\xff\0\x1b[31m", 7),
        "\xef\xbb\xbf" + people.sign(2, "x"), people.sign(2, "x").substr(0, 80)}) {
    CAPTURE(broken);
    for (const bool first : {true, false}) {
      TrustFile file = chain(people, {{{0, 1, 2}, 2, {0, 1}}});
      auto& signatures = file.versions[0].signatures;
      signatures.insert(first ? signatures.begin() : signatures.end(), broken);
      CHECK(refusal(file) == "accepted");
      CHECK(missing_signatures(file).value().empty());
    }
    TrustFile file = chain(people, {{{0, 1, 2}, 2, {0}}});
    file.versions[0].signatures.push_back(broken);
    CHECK(refusal(file).find("signed by 1 of the 2 keys it takes: a signature cannot be read") !=
          std::string::npos);
  }
}

TEST_CASE("TUF: one public key under two ids is refused in the document") {
  const People people(2);
  Trust trust = people.trust(1, {0, 1}, 2);
  SigningPublicKey twin = people.pair(0).public_key;
  twin.id[0] ^= 1;
  std::string line = print(twin);
  line = line.substr(line.find('\n') + 1);
  line.pop_back();
  trust.keys[1].public_key = line;
  trust.roles.at(manifests::Role::root).keys[1] = print(twin.id);
  trust.roles.at(manifests::Role::release).keys[1] = print(twin.id);
  const auto parsed = manifests::parse_trust(print(trust));
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().message.find("is in the trust twice") != std::string::npos);
  // Where it gets past the parser all the same, it still counts once.
  const std::string text = print(trust);
  const SigningSecretKey twin_key{twin.id, *Secret::copy_of(people.pair(0).secret_key.key.bytes())};
  const auto counted =
      count_signers(trust, trust.roles.at(manifests::Role::root), as_bytes(text),
                    {people.sign(0, text), *sign(twin_key, as_bytes(text), "test")});
  REQUIRE_FALSE(counted.has_value());
  CHECK(counted.error().message.find("signed by 1 of the 2") != std::string::npos);
}

TEST_CASE("TUF: only the newest version's expiry matters") {
  const People people(1);
  Trust first = people.trust(1, {0}, 1), second = people.trust(2, {0}, 1);
  first.expires = UtcTime{kNow.seconds - 10};
  const auto file_of = [&](const std::vector<Trust>& versions) {
    TrustFile out;
    for (const Trust& each : versions) {
      out.versions.push_back({print(each), people.sign_all({0}, print(each))});
    }
    return out;
  };
  CHECK(refusal(file_of({first, second})) == "accepted");
  const std::string expired = refusal(file_of({first}));
  CHECK(expired.find("trust version 1 expired at 2027-01-15T07:59:50Z") != std::string::npos);
  CHECK(refusal(file_of({first, second}), {}, UtcTime{kNow.seconds + 1000}).find("expired") !=
        std::string::npos);
}

TEST_CASE("TUF: an older trust, another history and a gap are refused") {
  const People people(3);
  const TrustFile three = chain(people, {{{0}, 1, {0}}, {{1}, 1, {0, 1}}, {{2}, 1, {1, 2}}});
  const TrustState seen = state_after(three);
  CHECK(refusal(three, seen) == "accepted");
  TrustFile two = three;
  two.versions.pop_back();
  CHECK(refusal(two, seen).find("version 3 was accepted here before") != std::string::npos);
  // A second version 3, signed by the same people (their keys leaked): not what was accepted.
  TrustFile other = two;
  Trust fork = people.trust(3, {2}, 1);
  fork.expires = UtcTime{kNow.seconds + 1};
  other.versions.push_back({print(fork), people.sign_all({1, 2}, print(fork))});
  CHECK(refusal(other) == "accepted");
  CHECK(refusal(other, seen).find("second history") != std::string::npos);

  TrustFile gap = three;
  gap.versions.erase(gap.versions.begin() + 1);
  CHECK(refusal(gap).find("versions have no gaps") != std::string::npos);
  gap.versions.erase(gap.versions.begin());
  CHECK(refusal(gap).find("begins with version 3") != std::string::npos);
  // Who knows version 2 can go on from there.
  const TrustState old = state_after(two);
  CHECK(refusal(three, old) == "accepted");
}

TEST_CASE("a revocation is for ever") {
  const People people(2);
  Trust first = people.trust(1, {0}, 1), second = people.trust(2, {0}, 1);
  first.revoked.push_back({people.key(1), "lost"});
  TrustFile file;
  for (const Trust& each : {first, second}) {
    file.versions.push_back({print(each), people.sign_all({0}, print(each))});
  }
  CHECK(refusal(file).find("forgets that key " + people.id(1) + " (person-1) was revoked") !=
        std::string::npos);
  Trust bound = first;
  bound.roles.at(manifests::Role::release).keys.push_back(people.id(1));
  CHECK(manifests::parse_trust(print(bound))
            .error()
            .message.find("revoked keys cannot have a role") != std::string::npos);
}

TEST_CASE("what is not a trust version is refused, and the field is named") {
  const People people(2);
  const std::string text = print(people.trust(1, {0, 1}, 2));
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  const struct {
    std::string document, says;
  } cases[] = {
      {replaced("weir.trust/1", "weir.release/1"), "must begin with \"type\""},
      {replaced("\"type\"", "\"version\": 1, \"type\""), "must begin with \"type\""},
      {replaced("\"version\": 1", "\"version\": 1, \"version\": 2"), "'version' appears twice"},
      {replaced("\"version\": 1", "\"version\": 9007199254740992"), "version: must be from 1"},
      {replaced("\"threshold\": 2", "\"threshold\": 3"), "roles.root.threshold: must be from 1"},
      {replaced("\"threshold\": 2", "\"threshold\": 0"), "roles.root.threshold: must be from 1"},
      {replaced("\"threshold\": 2", "\"threshold\": 4294967298"), "roles.root.threshold: must be"},
      {replaced("\"root\"", "\"rot\""), "roles.root: missing"},
      {replaced("\"stable\"", "\"Stable\""), "channels[0].name"},
      {replaced("\"expires\": \"2", "\"expires\": \"x"), "expires: "},
      {replaced("\"name\": \"person-0\"", "\"name\": \"\""), "keys[0].name: must be one line"},
      {replaced("\"revoked\": []", "\"revoked\": [], \"x\": 1"), "x: unknown field"},
      {replaced("[]", std::string(40, '[') + std::string(40, ']')), "nested deeper"},
      {text + std::string(300000, ' '), "at most 256 KiB"},
  };
  for (const auto& [document, says] : cases) {
    const auto& shown = says;  // clang 14 captures no structured binding
    CAPTURE(shown);
    const auto parsed = manifests::parse_trust(document);
    REQUIRE_FALSE(parsed.has_value());
    CHECK_MESSAGE(parsed.error().message.find(says) != std::string::npos, parsed.error().message);
  }
  CHECK(*manifests::parse_trust(text) == people.trust(1, {0, 1}, 2));
}

TEST_CASE("a trust has 256 keys, 64 channels and 1000 versions with 64 signatures, and no more") {
  const People people(258);
  const auto trust_of = [&](std::size_t keys, std::size_t revoked, std::size_t channels) {
    Trust out = people.trust(1, {0}, 1);
    for (std::size_t i = 1; i < keys; ++i) out.keys.push_back(people.key(i));
    for (std::size_t i = 1; i <= revoked; ++i) out.revoked.push_back({people.key(i), "lost"});
    for (std::size_t i = 1; i < channels; ++i) {
      out.channels.push_back({*manifests::ChannelName::parse("c" + std::to_string(i)), {}});
    }
    return manifests::parse_trust(print(out));
  };
  const auto too_many = [](const auto& parsed, const char* says) {
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().code == Errc::exhausted);
    CHECK_MESSAGE(parsed.error().message.find(says) != std::string::npos, parsed.error().message);
  };
  CHECK(trust_of(256, 0, 64).has_value());
  CHECK(trust_of(1, 256, 1).has_value());
  too_many(trust_of(257, 0, 1), "keys: more than 256 entries");
  too_many(trust_of(1, 257, 1), "revoked: more than 256 entries");
  too_many(trust_of(1, 0, 65), "channels: more than 64 entries");

  const auto file_of = [](std::size_t versions, std::size_t signatures) {
    const manifests::SignedTrust each{"{}", std::vector<std::string>(signatures, "s")};
    return manifests::parse_trust_file(print(TrustFile{std::vector(versions, each)}));
  };
  CHECK(file_of(1000, 1).has_value());
  CHECK(file_of(1, 64).has_value());
  too_many(file_of(1001, 1), "versions: more than 1000 entries");
  too_many(file_of(1, 65), "versions[0].signatures: more than 64");
}

TEST_CASE("of 65 signatures none is looked at") {
  const People people(65);
  Who who(64);
  for (std::size_t i = 0; i < who.size(); ++i) who[i] = i;
  const std::string text = "what they sign";
  const Trust trust = people.trust(1, who, 64);
  std::vector<std::string> signatures = people.sign_all(who, text);
  const auto count = [&] {
    return count_signers(trust, trust.roles.at(manifests::Role::release), as_bytes(text),
                         signatures);
  };
  REQUIRE(count().has_value());
  CHECK(count()->size() == 64);
  signatures.push_back(people.sign(64, text));
  CHECK(count().error().code == Errc::exhausted);
}

}  // namespace weir::keys
