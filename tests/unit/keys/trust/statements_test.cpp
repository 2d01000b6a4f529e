#include "keys/trust/statements.h"

#include <doctest/doctest.h>

#include "keys/signing/edge/key_files.h"
#include "manifests/documents/boot_check_statement.h"
#include "manifests/documents/rebuild_statement.h"
#include "trust_fixture.h"

namespace weir::keys {
namespace {

using VerifiedRelease = Verified<manifests::Release>;

/// A release that pins a module and a tool, as it is verified.
VerifiedRelease release_called(const std::string& name) {
  static const auto signer = make_signing_key();
  manifests::Release release = testing::release_named(name);
  release.modules.push_back(
      {"wireguard", "p", "1.0", "5A", "v", std::string(40, 'b'), Digest::of({})});
  release.tools.push_back({"wireguard-tools", "1.0.2", "amd64"});
  const std::string text = print(release);
  auto out = verify_release(text, *sign(signer->secret_key, as_bytes(text), ""),
                            {signer->public_key}, testing::kNow);
  REQUIRE_MESSAGE(out.has_value(), out.error().message);
  return std::move(*out);
}

VerifiedRelease demo() {
  return release_called("demo");
}

manifests::SignedText statement(const SigningKeyPair& pair,
                                const VerifiedRelease& release = demo()) {
  const std::string json = print(
      manifests::RebuildStatement{release->name, release.digest(), release->lock_digest, "1"});
  return {json, *sign(pair.secret_key, as_bytes(json), "rebuilt")};
}

/// What a node says that is what `demo` says.
manifests::BootCheckStatement boot_check() {
  const VerifiedRelease release = demo();
  return {release->name,
          release.digest(),
          UtcTime{1795305600},
          "1",
          "machine",
          "peer",
          {Digest::of(as_bytes("lock")),
           "1",
           std::string(40, 'a'),
           {{"wireguard", "1.0", "5A", std::string(40, 'b')}},
           {{"wireguard-tools", "1.0.2", "amd64"}}},
          {1, 1, 1, 1, 1, 1},
          {{"first-handshake", 1}, {"first-data", 2}}};
}

Result<std::vector<SigningPublicKey>> rebuilt(const std::vector<manifests::SignedText>& found,
                                              const VerifiedRelease& release,
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
  CHECK(count(rebuilt(both, demo(), keys, 2)) == 2);
  CHECK(count(rebuilt(both, demo(), keys, 1)) == 2);
  const auto three = rebuilt(both, demo(), keys, 3);
  REQUIRE_FALSE(three.has_value());
  CHECK(three.error().code == Errc::unauthorized);
  CHECK(three.error().message.find(print(c->public_key.id)) != std::string::npos);
  CHECK_FALSE(rebuilt(both, release_called("other"), keys, 1).has_value());
  CHECK_FALSE(rebuilt({statement(*a, release_called("other"))}, demo(), keys, 1).has_value());
}

TEST_CASE("one key under two ids is one rebuilder") {
  const auto a = make_signing_key();
  SigningPublicKey again = a->public_key;
  again.id[0] ^= 1;
  const auto refused = rebuilt({statement(*a)}, demo(), {a->public_key, again}, 2);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(count(rebuilt({statement(*a)}, demo(), {again, a->public_key}, 1)) == 1);
  CHECK_FALSE(rebuilt({}, demo(), {}, 0).has_value());
}

TEST_CASE("only a whole and canonical statement counts") {
  const auto a = make_signing_key();
  const manifests::SignedText good = statement(*a);
  const auto refused = [&](const std::string& json, const std::string& signature) {
    return !rebuilt({{json, signature}}, demo(), {a->public_key}, 1).has_value();
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
                                          demo().digest(), json, signer_with(a->secret_key));
  REQUIRE(signed_text.has_value());
  CHECK(signed_text->json == json);
  const StatementDemand demand{StatementKind::boot_check, {a->public_key}, 1};
  CHECK(count(require_statements({*signed_text}, demo(), demand)) == 1);
  CHECK_FALSE(rebuilt({*signed_text}, demo(), {a->public_key}, 1).has_value());
  CHECK_FALSE(require_statements({statement(*a)}, demo(), demand).has_value());
}

TEST_CASE("a refusal says why what was found does not count") {
  const auto a = make_signing_key(), stranger = make_signing_key();
  const auto refusal = [&](const manifests::SignedText& found, const VerifiedRelease& release) {
    const auto result =
        require_statements({found}, release, {StatementKind::boot_check, {a->public_key}, 1});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == Errc::unauthorized);
    return result.error().message;
  };
  const auto stated = [](const SigningKeyPair& by) {
    return *sign_statement(StatementKind::boot_check, *ReleaseName::parse("demo"), demo().digest(),
                           print(boot_check()), signer_with(by.secret_key));
  };
  const std::string missing =
      "was boot-checked by 0 of the 1 demanded: no statement about it "
      "verifies from " +
      print(a->public_key.id) + " (weir-builder boot-check signs them)";
  const std::string by_a = "; a statement by key " + print(a->public_key.id) + " does not count: ";
  CHECK(refusal(stated(*stranger), demo()) == missing + "; a statement by key " +
                                                  print(stranger->public_key.id) +
                                                  " does not count: it is not one of those asked");
  CHECK(refusal(stated(*a), release_called("other")) ==
        missing + by_a + "it is about another release (" + demo().digest().string() + ")");
  auto tampered = stated(*a);
  tampered.json.replace(tampered.json.find("\"node_rx_bytes\": 1"), 18, "\"node_rx_bytes\": 2");
  CHECK(refusal(tampered, demo()).starts_with(missing + by_a));
  CHECK(refusal({stated(*a).json, "nonsense"}, demo()) == missing);
}

TEST_CASE("a boot check of a node that is not what the release says does not count") {
  const auto a = make_signing_key();
  const auto refusal = [&](const manifests::BootCheckStatement& statement) -> std::string {
    const auto text = sign_statement(StatementKind::boot_check, statement.release, demo().digest(),
                                     print(statement), signer_with(a->secret_key));
    const auto result =
        require_statements({*text}, demo(), {StatementKind::boot_check, {a->public_key}, 1});
    return result ? "accepted" : result.error().message;
  };
  CHECK(refusal(boot_check()) == "accepted");
  const auto refused = [&](void (*change)(manifests::BootCheckStatement&), const char* says) {
    manifests::BootCheckStatement changed = boot_check();
    change(changed);
    const std::string message = refusal(changed);
    CHECK_MESSAGE(message.find(says) != std::string::npos, message);
  };
  using Statement = manifests::BootCheckStatement;
  refused([](Statement& it) { it.facts.kernel_release = "9.9"; },
          "does not count: the node that was booted reports kernel 9.9, but its release says 1");
  refused([](Statement& it) { it.facts.lock_digest = Digest::of(as_bytes("foreign")); },
          "reports lock digest sha256:");
  refused([](Statement& it) { it.facts.kernel_build_id = "bb"; }, "reports kernel build id bb");
  refused([](Statement& it) { it.facts.modules.clear(); }, "reports module wireguard (not loaded)");
  refused([](Statement& it) { it.facts.tools[0].version = "1.0.1"; },
          "reports tool wireguard-tools 1.0.1");
  refused([](Statement& it) { it.release = *ReleaseName::parse("other"); },
          "does not count: it calls the release 'other'");
}

TEST_CASE("a rebuild from another lock does not count") {
  const auto a = make_signing_key();
  const std::string json = print(manifests::RebuildStatement{
      *ReleaseName::parse("demo"), demo().digest(), Digest::of(as_bytes("foreign")), "1"});
  const auto refused =
      rebuilt({{json, *sign(a->secret_key, as_bytes(json), "")}}, demo(), {a->public_key}, 1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("does not count: it was made from another lock (sha256:") !=
        std::string::npos);
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
