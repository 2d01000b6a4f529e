#include "keys/trust/trust_edit.h"

#include <doctest/doctest.h>

#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::keys {

TEST_CASE("a version that would have expired already is not made") {
  const testing::People people(1);
  const auto then = [](std::int64_t seconds) { return UtcTime{testing::kNow.seconds + seconds}; };
  TrustChange first;
  first.channels = {*manifests::ChannelName::parse("stable")};
  first.add = {{{manifests::Role::root, {}}, people.key(0)}};
  const auto made = [&](const std::optional<manifests::Trust>& before, TrustChange change,
                        std::optional<UtcTime> expires) {
    change.expires = expires;
    return next_trust(before, change, testing::kNow);
  };
  const auto good = made({}, first, then(1));
  REQUIRE_MESSAGE(good.has_value(), good.error().message);
  for (const std::int64_t late : {0, -1}) {
    const auto refused = made({}, first, then(late));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::invalid_input);
    // kNow by `date -u -d @1800000000`, and a second before.
    CHECK(refused.error().message ==
          std::string("the new version would have expired at ") +
              (late == 0 ? "2027-01-15T08:00:00Z" : "2027-01-15T07:59:59Z") +
              ", and nobody would believe it: say --expires");
    CHECK_FALSE(made(*good, {}, then(late)).has_value());
  }
  // Nor is one that takes over what has passed since.
  CHECK(made(*good, {}, {}).has_value());
  const auto later = next_trust(*good, {}, then(1));
  REQUIRE_FALSE(later.has_value());
  CHECK(later.error().message.starts_with("the new version would have expired at "));
}

}  // namespace weir::keys
