#include "keys/trust/trust.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/property/seed.h"
#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::keys {
namespace {

using testing::below;
using testing::kNow;
using testing::People;
using testing::seeded;
using Who = std::vector<std::size_t>;

constexpr std::size_t kPeople = 8;

Who some(std::mt19937_64& random, std::size_t least) {
  Who out(kPeople);
  for (std::size_t i = 0; i < kPeople; ++i) out[i] = i;
  std::shuffle(out.begin(), out.end(), random);
  out.resize(least + below(random, kPeople + 1 - least));
  return out;
}

std::size_t common(const Who& a, const Who& b) {
  const std::set<std::size_t> in(a.begin(), a.end());
  return static_cast<std::size_t>(
      std::count_if(b.begin(), b.end(), [&](std::size_t each) { return in.contains(each); }));
}

}  // namespace

TEST_CASE("m of n: exactly the distinct keys of the role count, in any order") {
  auto random = seeded("thresholds");
  const People people(kPeople);
  const std::string text = "what they sign", other = "something else";
  for (int round = 0; round < 400; ++round) {
    const Who role = some(random, 1), good = some(random, 0);
    const auto threshold = static_cast<std::uint32_t>(1 + below(random, role.size()));
    // Everybody else signs something else: present, but worth nothing.
    std::vector<std::string> signatures = people.sign_all(good, text);
    for (std::size_t i = 0; i < kPeople; ++i) {
      if (std::find(good.begin(), good.end(), i) == good.end() && below(random, 2) == 0) {
        signatures.push_back(people.sign(i, other));
      }
    }
    std::shuffle(signatures.begin(), signatures.end(), random);
    const auto trust = people.trust(1, role, threshold);
    const auto& bound = trust.roles.at(manifests::Role::root);
    const auto counted = count_signers(trust, bound, as_bytes(text), signatures);
    CHECK(counted.has_value() == (common(role, good) >= threshold));
    if (counted) CHECK(counted->size() == common(role, good));
    // No signature can be made to count twice.
    if (signatures.empty()) continue;
    signatures.push_back(signatures[below(random, signatures.size())]);
    CHECK_FALSE(count_signers(trust, bound, as_bytes(text), signatures).has_value());
  }
}

TEST_CASE("a next version is accepted exactly where both thresholds are met") {
  auto random = seeded("rotations");
  const People people(kPeople);
  for (int round = 0; round < 200; ++round) {
    const Who before = some(random, 1), after = some(random, 1), signers = some(random, 0);
    const auto first =
        people.trust(1, before, static_cast<std::uint32_t>(1 + below(random, before.size())));
    const auto second =
        people.trust(2, after, static_cast<std::uint32_t>(1 + below(random, after.size())));
    manifests::TrustFile file;
    file.versions.push_back({print(first), people.sign_all(before, print(first))});
    file.versions.push_back({print(second), people.sign_all(signers, print(second))});
    const bool met = common(before, signers) >= first.roles.at(manifests::Role::root).threshold &&
                     common(after, signers) >= second.roles.at(manifests::Role::root).threshold;
    CHECK(verify_trust(print(file), {}, kNow).has_value() == met);
  }
}

TEST_CASE("versions that were accepted never fall") {
  auto random = seeded("versions");
  const People people(1);
  const auto root = people.trust(1, {0}, 1);
  manifests::TrustFile file;
  file.versions.push_back({print(root), people.sign_all({0}, print(root))});
  const auto trust = verify_trust(print(file), {}, kNow);
  REQUIRE(trust.has_value());
  const auto stable = *manifests::ChannelName::parse("stable");
  manifests::TrustState state;
  std::uint64_t highest = 0;
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t version = below(random, 40);
    const std::string text = testing::release_text("g", version);
    const auto release =
        verify_release(text, people.sign_all({0}, text), *trust, {stable, state, kNow, {}});
    CHECK(release.has_value() == (version >= highest));
    if (!release) continue;
    state = remember(std::move(state), *trust, *release);
    highest = version;
    CHECK(state.channels.at(stable).front().version == highest);
  }
}

}  // namespace weir::keys
