#include "images/store/edge/signatures.h"

#include <doctest/doctest.h>

#include "tests/unit/images/scratch.h"

namespace weir::images {

TEST_CASE("a release has 64 signatures, and no more") {
  const test::TemporaryFolder folder;
  const auto store = *Store::open_or_create(folder.path + "/store");
  const StoredRelease release{*ReleaseName::parse("demo"), "{}", "the one beside it"};
  const Digest digest = Digest::of(as_bytes(release.json));
  for (int i = 1; i < 64; ++i) {
    const std::string number = std::to_string(i);
    REQUIRE(add_signature(store, digest, number, "by " + number).has_value());
  }
  const auto all = read_signatures(store, release);
  REQUIRE_MESSAGE(all.has_value(), all.error().message);
  CHECK(all->size() == 64);
  CHECK(all->front() == "the one beside it");
  REQUIRE(add_signature(store, digest, "64", "one too many").has_value());
  CHECK(read_signatures(store, release).error().code == Errc::exhausted);
}

}  // namespace weir::images
