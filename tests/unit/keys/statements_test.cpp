#include "keys/statements.h"

#include <doctest/doctest.h>

#include "keys/edge/key_files.h"
#include "manifests/boot_check_statement.h"
#include "manifests/rebuild_statement.h"
#include "trust_fixture.h"

namespace weir::keys {
namespace {

const Digest kRelease = Digest::of(as_bytes("release")), kLock = Digest::of(as_bytes("lock"));

manifests::SignedText statement(const SigningKeyPair& pair, const Digest& release = kRelease) {
  const std::string json =
      print(manifests::RebuildStatement{*ReleaseName::parse("demo"), release, kLock, "1"});
  return {json, *sign(pair.secret_key, as_bytes(json), "rebuilt")};
}

manifests::BootCheckStatement boot_check() {
  return {*ReleaseName::parse("demo"),
          kRelease,
          UtcTime{1795305600},
          "1",
          "machine",
          "peer",
          {kLock, "6.12", "aa", {}, {}},
          {1, 1, 1, 1, 1, 1},
          {{"first-handshake", 1}, {"first-data", 2}}};
}

Result<std::vector<SigningPublicKey>> rebuilt(const std::vector<manifests::SignedText>& found,
                                              const Digest& release,
                                              const std::vector<SigningPublicKey>& keys,
                                              std::size_t threshold) {
  return require_statements(found, release, {StatementKind::rebuild, keys, threshold});
}

std::size_t count(const Result<std::vector<SigningPublicKey>>& result) {
  REQUIRE_MESSAGE(result.has_value(), result.error().message);
  return result->size();
}

}  // namespace

TEST_CASE("m of n different keys must have signed for this release") {
  const auto a = make_signing_key(), b = make_signing_key(), c = make_signing_key();
  const std::vector keys = {a->public_key, b->public_key, c->public_key};
  const std::vector both = {statement(*a), statement(*b), statement(*b)};
  CHECK(count(rebuilt(both, kRelease, keys, 2)) == 2);
  CHECK(count(rebuilt(both, kRelease, keys, 1)) == 2);
  const auto three = rebuilt(both, kRelease, keys, 3);
  REQUIRE_FALSE(three.has_value());
  CHECK(three.error().code == Errc::unauthorized);
  CHECK(three.error().message.find(print(c->public_key.id)) != std::string::npos);
  CHECK_FALSE(rebuilt(both, Digest::of(as_bytes("other")), keys, 1).has_value());
  CHECK_FALSE(rebuilt({statement(*a, kLock)}, kRelease, keys, 1).has_value());
}

TEST_CASE("one key under two ids is one rebuilder") {
  const auto a = make_signing_key();
  SigningPublicKey again = a->public_key;
  again.id[0] ^= 1;
  const auto refused = rebuilt({statement(*a)}, kRelease, {a->public_key, again}, 2);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(count(rebuilt({statement(*a)}, kRelease, {again, a->public_key}, 1)) == 1);
  CHECK_FALSE(rebuilt({}, kRelease, {}, 0).has_value());
}

TEST_CASE("only a whole and canonical statement counts") {
  const auto a = make_signing_key();
  const manifests::SignedText good = statement(*a);
  const auto refused = [&](const std::string& json, const std::string& signature) {
    return !rebuilt({{json, signature}}, kRelease, {a->public_key}, 1).has_value();
  };
  const auto resigned = [&](const std::string& json) {
    return refused(json, *sign(a->secret_key, as_bytes(json), ""));
  };
  CHECK_FALSE(resigned(good.json));
  CHECK(refused(good.json + " ", good.signature));
  CHECK(refused(good.json, "nonsense"));
  CHECK(resigned(good.json + " "));
  CHECK(resigned("{}"));
  std::string other = good.json;
  other.replace(other.find("weir.rebuild/1"), 14, "weir.release/1");
  CHECK(resigned(other));
}

TEST_CASE("statements of one kind do not count as the other") {
  const auto a = make_signing_key();
  const std::string json = print(boot_check());
  const auto signed_text = sign_statement(StatementKind::boot_check, *ReleaseName::parse("demo"),
                                          kRelease, json, signer_with(a->secret_key));
  REQUIRE(signed_text.has_value());
  CHECK(signed_text->json == json);
  const StatementDemand demand{StatementKind::boot_check, {a->public_key}, 1};
  CHECK(count(require_statements({*signed_text}, kRelease, demand)) == 1);
  CHECK_FALSE(rebuilt({*signed_text}, kRelease, {a->public_key}, 1).has_value());
  CHECK_FALSE(require_statements({statement(*a)}, kRelease, demand).has_value());
}

TEST_CASE("a refusal says why what was found does not count") {
  const auto a = make_signing_key(), stranger = make_signing_key();
  const auto refusal = [&](const manifests::SignedText& found, const Digest& release) {
    const auto result =
        require_statements({found}, release, {StatementKind::boot_check, {a->public_key}, 1});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == Errc::unauthorized);
    return result.error().message;
  };
  const auto stated = [](const SigningKeyPair& by) {
    return *sign_statement(StatementKind::boot_check, *ReleaseName::parse("demo"), kRelease,
                           print(boot_check()), signer_with(by.secret_key));
  };
  const std::string missing =
      "was boot-checked by 0 of the 1 demanded: no statement about it "
      "verifies from " +
      print(a->public_key.id) + " (weir-builder boot-check signs them)";
  const std::string by_a = "; a statement by key " + print(a->public_key.id) + " does not count: ";
  CHECK(refusal(stated(*stranger), kRelease) ==
        missing + "; a statement by key " + print(stranger->public_key.id) +
            " does not count: it is not one of those asked");
  CHECK(refusal(stated(*a), kLock) ==
        missing + by_a + "it is about another release (" + kRelease.string() + ")");
  auto tampered = stated(*a);
  tampered.json.replace(tampered.json.find("\"node_rx_bytes\": 1"), 18, "\"node_rx_bytes\": 2");
  CHECK(refusal(tampered, kRelease).starts_with(missing + by_a));
  CHECK(refusal({stated(*a).json, "nonsense"}, kRelease) == missing);
}

TEST_CASE("what a trust demands is its role's threshold, and nothing without the role") {
  const testing::People people(3);
  manifests::Trust trust = people.trust(1, {0, 1}, 1);
  CHECK_FALSE(demand_of(trust, StatementKind::boot_check)->has_value());
  trust.keys.push_back(people.key(2));
  trust.roles[manifests::Role::boot_check] = people.role({1, 2}, 2);
  const auto demand = *demand_of(trust, StatementKind::boot_check);
  REQUIRE(demand.has_value());
  CHECK(demand->threshold == 2);
  CHECK(demand->keys == std::vector{people.pair(1).public_key, people.pair(2).public_key});
  CHECK_FALSE(demand_of(trust, StatementKind::rebuild)->has_value());
}

}  // namespace weir::keys
