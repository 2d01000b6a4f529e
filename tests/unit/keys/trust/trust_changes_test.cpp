#include "keys/trust/trust_changes.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/images/scratch.h"
#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::keys {
namespace {

using manifests::Role;
using manifests::Trust;
using Sentences = std::vector<std::string>;

// By stock tools, of a .pub file's second line.
std::string whole(const std::string& line) {
  const std::string digest = test::must("printf %s '" + line +
                                        "' | base64 -d | sha256sum | cut -c1-64 | fold -w4 | "
                                        "paste -sd' '");
  return line + " (SHA-256 " + digest.substr(0, digest.size() - 1) + ")";
}

}  // namespace

TEST_CASE("each thing that a version of the trust changes is said, and nothing else") {
  const testing::People people(4);
  const Trust before = people.trust(1, {0, 1, 2}, 2);
  const auto said = [&](const Trust& after) { return describe_changes(before, after); };
  const auto named = [&](std::size_t i) { return people.id(i) + " (" + people.key(i).name + ")"; };
  CHECK(said(before) == Sentences{"nothing but its number"});

  Trust after = before;
  after.roles[Role::root] = people.role({0, 1, 3}, 3);
  after.keys.push_back(people.key(3));
  CHECK(said(after) ==
        Sentences{"role root gets key " + named(3), "role root loses key " + named(2),
                  "role root takes 3 of 3 keys, before 2 of 3",
                  "key " + named(3) + " is new: " + whole(people.key(3).public_key)});

  // One key more that may sign makes it easier, too.
  after = before;
  after.roles[Role::root] = people.role({0, 1}, 2);
  CHECK(describe_changes(after, before) ==
        Sentences{"role root gets key " + named(2), "role root takes 2 of 3 keys, before 2 of 2"});

  after = before;
  after.roles[Role::boot_check] = people.role({2}, 1);
  CHECK(said(after) ==
        Sentences{"role boot-check gets key " + named(2), "role boot-check takes 1 of 1 keys"});

  after = before;
  after.channels.push_back({*manifests::ChannelName::parse("lab"), people.role({1}, 1)});
  CHECK(said(after) == Sentences{"role release@lab gets key " + named(1),
                                 "role release@lab takes 1 of 1 keys", "channel lab begins"});
  CHECK(describe_changes(after, before) == Sentences{"role release@lab ends", "channel lab ends"});

  after = before;
  after.revoked.push_back({people.key(2), "stolen"});
  CHECK(said(after) == Sentences{"key " + named(2) + " is revoked: stolen"});
  CHECK(describe_changes(after, before) ==
        Sentences{"the revocation of key " + named(2) + " is FORGOTTEN"});

  after = before;
  after.expires = UtcTime{4070908800};
  CHECK(said(after) ==
        Sentences{"expires 2099-01-01T00:00:00Z, before " + before.expires.string()});

  after = before;
  after.keys[1].name = "mallory";
  CHECK(said(after) ==
        Sentences{"key " + people.id(1) + " is called mallory, before " + people.key(1).name});
  SigningPublicKey twin = people.pair(3).public_key;
  twin.id = people.pair(1).public_key.id;
  std::string line = print(twin);
  line = line.substr(line.find('\n') + 1);
  after.keys[1] = {"mallory", line.substr(0, line.size() - 1)};
  CHECK(said(after) ==
        Sentences{"key " + people.id(1) + " (mallory) is ANOTHER KEY of the same id: " +
                  whole(after.keys[1].public_key) + ", before " + whole(people.key(1).public_key)});
}

TEST_CASE("of a first version all is said") {
  const testing::People people(2);
  const Trust first = people.trust(1, {0, 1}, 2);
  const Sentences said = describe_changes(std::nullopt, first);
  for (const char* part :
       {"role root takes 2 of 2 keys", "role release takes 2 of 2 keys", "channel stable begins"}) {
    CHECK(std::find(said.begin(), said.end(), part) != said.end());
  }
  CHECK(std::find(said.begin(), said.end(), "expires " + first.expires.string()) != said.end());
  for (std::size_t i : {0, 1}) {
    const std::string told = "key " + people.id(i) + " (" + people.key(i).name +
                             ") is new: " + whole(people.key(i).public_key);
    CHECK(std::find(said.begin(), said.end(), told) != said.end());
  }
}

}  // namespace weir::keys
