#include "keys/rebuilders.h"

#include <doctest/doctest.h>

#include "keys/edge/key_files.h"
#include "manifests/rebuild_statement.h"

namespace weir::keys {
namespace {

const Digest kRelease = Digest::of(as_bytes("release")), kLock = Digest::of(as_bytes("lock"));

SignedText statement(const SigningKeyPair& pair, const Digest& release = kRelease) {
  const std::string json =
      print(manifests::RebuildStatement{*ReleaseName::parse("demo"), release, kLock, "1"});
  return {json, *sign(pair.secret_key, as_bytes(json), "rebuilt")};
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
  CHECK(count(require_rebuilders(both, kRelease, keys, 2)) == 2);
  CHECK(count(require_rebuilders(both, kRelease, keys, 1)) == 2);
  const auto three = require_rebuilders(both, kRelease, keys, 3);
  REQUIRE_FALSE(three.has_value());
  CHECK(three.error().code == Errc::unauthorized);
  CHECK(three.error().message.find(print(c->public_key.id)) != std::string::npos);
  CHECK_FALSE(require_rebuilders(both, Digest::of(as_bytes("other")), keys, 1).has_value());
  CHECK_FALSE(require_rebuilders({statement(*a, kLock)}, kRelease, keys, 1).has_value());
}

TEST_CASE("one key under two ids is one rebuilder") {
  const auto a = make_signing_key();
  SigningPublicKey again = a->public_key;
  again.id[0] ^= 1;
  const auto refused = require_rebuilders({statement(*a)}, kRelease, {a->public_key, again}, 2);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::invalid_input);
  CHECK(count(require_rebuilders({statement(*a)}, kRelease, {again, a->public_key}, 1)) == 1);
  CHECK_FALSE(require_rebuilders({}, kRelease, {}, 0).has_value());
}

TEST_CASE("only a whole and canonical statement counts") {
  const auto a = make_signing_key();
  const SignedText good = statement(*a);
  const auto refused = [&](const std::string& json, const std::string& signature) {
    return !require_rebuilders({{json, signature}}, kRelease, {a->public_key}, 1).has_value();
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

}  // namespace weir::keys
