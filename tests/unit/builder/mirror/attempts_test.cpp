#include "builder/mirror/attempts.h"

#include <doctest/doctest.h>

namespace weir::builder {
namespace {

Error error(Errc code, const char* message) {
  return {code, 0, message};
}

}  // namespace

TEST_CASE("an address that breaks is asked again, as often as that is allowed") {
  Attempts attempts(1, 3);
  CHECK(attempts.number() == 1);
  CHECK(attempts.after(Outcome::broken, error(Errc::io, "a")));
  CHECK(attempts.number() == 2);
  CHECK(attempts.after(Outcome::broken, error(Errc::io, "b")));
  CHECK_FALSE(attempts.after(Outcome::broken, error(Errc::timeout, "c")));
  CHECK(attempts.problem().code == Errc::timeout);
  CHECK(attempts.problem().message == "c");
}

TEST_CASE("addresses take turns, and one that is gone or refuses is left out") {
  Attempts attempts(3, 2);
  CHECK(attempts.after(Outcome::gone, error(Errc::not_found, "none")));
  CHECK(attempts.address() == 1);
  CHECK(attempts.after(Outcome::broken, error(Errc::io, "b")));
  CHECK(attempts.address() == 2);
  CHECK(attempts.after(Outcome::refused, error(Errc::unauthorized, "401")));
  CHECK(attempts.address() == 1);
  CHECK_FALSE(attempts.after(Outcome::gone, error(Errc::not_found, "none")));
  CHECK(attempts.problem().code == Errc::unauthorized);
  CHECK(attempts.problem().message == "401");
}

TEST_CASE("wrong bytes are asked for once more, and outweigh what else went wrong") {
  Attempts attempts(2, 1);
  CHECK(attempts.after(Outcome::broken, error(Errc::timeout, "slow")));
  CHECK_FALSE(attempts.spoiled());
  CHECK(attempts.after(Outcome::spoiled, error(Errc::integrity, "wrong")));
  CHECK(attempts.address() == 1);
  CHECK(attempts.spoiled());
  CHECK_FALSE(attempts.after(Outcome::spoiled, error(Errc::integrity, "wrong")));
  CHECK(attempts.problem().code == Errc::integrity);
  CHECK(attempts.problem().message == "slow; wrong");
}

TEST_CASE("what nobody has is not found, and what lay here before counts against nobody") {
  Attempts attempts(2, 1);
  CHECK(attempts.after(Outcome::unfounded, {}));
  CHECK(attempts.address() == 0);
  CHECK(attempts.number() == 1);
  CHECK(attempts.after(Outcome::gone, error(Errc::not_found, "none")));
  CHECK_FALSE(attempts.after(Outcome::gone, error(Errc::not_found, "nor here")));
  CHECK(attempts.problem().code == Errc::not_found);
  CHECK(attempts.problem().message == "none");
}

}  // namespace weir::builder
