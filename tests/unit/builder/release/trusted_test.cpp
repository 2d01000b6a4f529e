#include "builder/release/edge/trusted.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/unit/images/store/memory_store.h"
#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::builder {
namespace {

constexpr UtcTime kFarAway{4070908800};  // 2099

/// A store whose release is another one each time that it is read, until the last.
struct ChangingStore final : test::MemoryStore {
  std::vector<images::StoredRelease> answers;
  mutable std::size_t reads = 0;

  [[nodiscard]] Result<images::StoredRelease> read_release(const ReleaseName&) const override {
    return answers.at(std::min(reads++, answers.size() - 1));
  }
  Status read_blob(const manifests::Blob&, const std::function<Status(Bytes)>&) const override {
    return {};
  }
};

}  // namespace

TEST_CASE("a release that changes while it is read is not taken for the verified one") {
  const testing::People people(1);
  const auto name = *ReleaseName::parse("gateway");
  const auto signed_release = [&](int version) {
    const std::string text = testing::release_text("gateway", version, "stable", 0, kFarAway);
    return images::StoredRelease{name, text, people.sign(0, text)};
  };
  const images::StoredRelease genuine = signed_release(5);
  images::StoredRelease forged = genuine;
  forged.json = signed_release(6).json;
  const auto verified = [&](const images::StoredRelease& first, const images::StoredRelease& then) {
    ChangingStore store;
    store.answers = {first, then};
    return verify_stored(store, name, {*keys::believe(std::vector{people.pair(0).public_key})});
  };
  // Whoever asks again finds the genuine one.
  const auto refused = verified(forged, genuine);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::unauthorized);
  // What was verified is what is handed on.
  const auto accepted = verified(genuine, forged);
  REQUIRE(accepted.has_value());
  CHECK(accepted->stored.json == genuine.json);
  CHECK(accepted->evidence.release == genuine.json);
  CHECK(accepted->release.digest() == Digest::of(as_bytes(genuine.json)));
}

}  // namespace weir::builder
