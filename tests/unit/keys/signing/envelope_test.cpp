#include "keys/signing/envelope.h"

#include <doctest/doctest.h>

#include "keys/signing/edge/key_files.h"
#include "keys/trust/provenance.h"
#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::keys {
namespace {

using manifests::DsseEnvelope;

Digest digest(const char* of) {
  return Digest::of(as_bytes(of));
}

struct Signed {
  SigningKeyPair own = *make_signing_key(), other = *make_signing_key();
  std::string json = print(testing::release_named("demo"));
  Verified<manifests::Release> release = *verify_release(
      json, *sign(own.secret_key, as_bytes(json), ""), {own.public_key}, testing::kNow);
  manifests::Provenance provenance{manifests::subject_of(*release, release.digest()),
                                   release->name,
                                   release->lock_digest,
                                   "none",
                                   {{"lock.json", digest("lock")}},
                                   "1",
                                   {}};

  [[nodiscard]] DsseEnvelope envelope(const SigningKeyPair& by, const std::string& payload,
                                      std::string_view type = manifests::kInTotoPayload) const {
    return {std::string(type), payload, {*sign_payload(signer_with(by.secret_key), type, payload)}};
  }
  [[nodiscard]] Result<VerifiedProvenance> verified(const DsseEnvelope& envelope) const {
    return verify_provenance(print(envelope), release, {{own.public_key}, 1});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Signed, "a provenance is verified by a trusted key, about exactly its release") {
  const auto good = verified(envelope(own, print(provenance)));
  REQUIRE_MESSAGE(good.has_value(), good.error().message);
  CHECK(**good == provenance);
  CHECK(good->signers() == print(own.public_key.id));
  CHECK(good->statement() == print(provenance));

  CHECK(verified(envelope(other, print(provenance))).error().code == Errc::unauthorized);

  manifests::Provenance elsewhere = provenance;
  elsewhere.subject[1].digest = digest("another kernel");
  CHECK(verified(envelope(own, print(elsewhere))).error().code == Errc::integrity);
  elsewhere = provenance;
  elsewhere.subject.pop_back();
  CHECK(verified(envelope(own, print(elsewhere))).error().code == Errc::integrity);
  elsewhere = provenance;
  elsewhere.lock_digest = digest("another lock");
  CHECK(verified(envelope(own, print(elsewhere))).error().code == Errc::integrity);
}

TEST_CASE_FIXTURE(Signed, "changed bytes and another payload type are refused") {
  const DsseEnvelope good = envelope(own, print(provenance));
  for (std::size_t at = 0; at < good.payload.size(); at += 13) {
    DsseEnvelope flipped = good;
    flipped.payload[at] = static_cast<char>(flipped.payload[at] ^ 1);
    CHECK(verified(flipped).error().code == Errc::integrity);
  }
  DsseEnvelope changed = good;
  changed.payload_type = "application/json";
  CHECK(verified(changed).error().code == Errc::integrity);
  const auto typed = verified(envelope(own, print(provenance), "application/json"));
  CHECK(typed.error().code == Errc::invalid_input);
  CHECK(typed.error().message.starts_with("payloadType: 'application/json' is not"));
  // A signed release is no provenance, whatever the envelope says.
  CHECK(verified(envelope(own, json)).error().code == Errc::invalid_input);
}

TEST_CASE_FIXTURE(Signed, "the key id is only a hint, and a person counts once") {
  DsseEnvelope envelope_ = envelope(own, print(provenance));
  envelope_.signatures.push_back(envelope(other, print(provenance)).signatures[0]);
  SigningPublicKey renamed = own.public_key;
  renamed.id[0] ^= 1;
  const auto ids = [](const std::vector<SigningPublicKey>& keys) {
    std::string out;
    for (const auto& key : keys) out += print(key.id) + " ";
    return out;
  };
  CHECK(ids(signers_of(envelope_, {own.public_key, own.public_key, renamed, other.public_key})) ==
        print(own.public_key.id) + " " + print(other.public_key.id) + " ");
  // Without an id every key is tried; with a wrong one none is.
  envelope_.signatures[0].key_id = "";
  CHECK(ids(signers_of(envelope_, {other.public_key, own.public_key})) ==
        print(other.public_key.id) + " " + print(own.public_key.id) + " ");
  envelope_.signatures[0].key_id = print(renamed.id);
  CHECK(signers_of(envelope_, {own.public_key}).empty());
}

TEST_CASE_FIXTURE(Signed, "a malformed signature beside a good one in an envelope does no harm") {
  const std::string good = print(envelope(own, print(provenance)));
  const std::string mark = "\"signatures\":[";
  for (const char* broken :
       {R"({"keyid":"x","sig":"***"},)", R"({"keyid":"x"},)", R"({"keyid":7,"sig":"AAAA"},)",
        R"("text",)", "null,", "{},", R"({"keyid":"x","sig":""},)"}) {
    CAPTURE(broken);
    std::string text = good;
    REQUIRE(text.find(mark) != std::string::npos);
    text.insert(text.find(mark) + mark.size(), broken);
    const auto read = verify_provenance(text, release, {{own.public_key}, 1});
    CHECK_MESSAGE(read.has_value(), read.error().message);
    CHECK(verify_provenance(text, release, {{other.public_key}, 1}).error().code ==
          Errc::unauthorized);
  }
}

TEST_CASE_FIXTURE(Signed, "a malformed or a stranger's line beside a good envelope does no harm") {
  const std::string good = print(envelope(own, print(provenance)));
  const std::string strangers = print(envelope(other, print(provenance)));
  const SignerDemand trusted{{own.public_key}, 1};
  for (const std::string broken : {"junk\n", "{}\n", "{\"payload\":\n", "\x1b\xff\n"}) {
    for (const std::string& text : {good + broken, broken + good, strangers + broken + good}) {
      CAPTURE(text);
      const auto read = verify_provenance(text, release, trusted);
      REQUIRE_MESSAGE(read.has_value(), read.error().message);
      CHECK(**read == provenance);
      CHECK(read->envelope() == good);
      REQUIRE(read->notes().size() == 1);
      CHECK(read->notes().front().starts_with(
          "beside a good provenance, one counts for nothing: provenance: DSSE envelope: "));
    }
    // By strangers only: no provenance, as without the line.
    CHECK(verify_provenance(strangers + broken, release, trusted).error().code ==
          Errc::unauthorized);
    CHECK(verify_provenance(broken + broken, release, trusted).error().code == Errc::invalid_input);
  }
  CHECK(verify_provenance(strangers + good, release, trusted).value().notes().empty());
  CHECK(verify_provenance("\n" + good + "\n", release, trusted).value().notes().empty());
  // What a trusted key signed and somebody changed is refused in any case.
  DsseEnvelope changed = envelope(own, print(provenance));
  changed.payload[3] ^= 1;
  CHECK(verify_provenance(good + print(changed), release, trusted).error().code == Errc::integrity);
  std::string many;
  for (int i = 0; i < 64; ++i) many += "x\n";
  CHECK(verify_provenance(many + good, release, trusted).error().code == Errc::exhausted);
}

TEST_CASE_FIXTURE(Signed, "a signature of another tool is taken only where it fits") {
  const std::string payload = print(provenance);
  const std::string encoded =
      manifests::pre_authentication_encoding(manifests::kInTotoPayload, payload);
  const auto made = signer_with(own.secret_key).sign(as_bytes(encoded));
  const std::string raw(made->begin(), made->end());
  const auto attached = [&](const SigningPublicKey& key, const std::string& signature) {
    return foreign_signature(key, manifests::kInTotoPayload, payload, signature);
  };
  const auto good = attached(own.public_key, raw);
  REQUIRE_MESSAGE(good.has_value(), good.error().message);
  CHECK(good->signature == raw);
  CHECK(good->key_id == print(own.public_key.id));
  CHECK(attached(other.public_key, raw).error().code == Errc::unauthorized);
  CHECK(attached(own.public_key, raw.substr(1)).error().code == Errc::invalid_input);
  // Prehashed, as minisign signs without -l.
  const auto hashed = attached(own.public_key, *sign(own.secret_key, as_bytes(encoded), ""));
  CHECK(hashed.error().code == Errc::invalid_input);
  CHECK(hashed.error().message.find("minisign -S -l") != std::string::npos);
}

}  // namespace weir::keys
