#include "builder/lock/lock_changes.h"

#include <doctest/doctest.h>

namespace weir::builder {
namespace {

using manifests::Lock;
using manifests::LockedPackage;

LockedPackage package(const char* name, const char* version, const char* content) {
  return {.name = name,
          .version = version,
          .architecture = "amd64",
          .path = "pool/x.deb",
          .size = ByteCount{1},
          .digest = Digest::of(as_bytes(content)),
          .suite = "s",
          .why = "asked for"};
}

Lock lock(std::vector<LockedPackage> packages, const char* program) {
  const Digest digest = Digest::of(as_bytes(program));
  return Lock{.name = *ReleaseName::parse("g"),
              .architecture = "amd64",
              .manifest_digest = digest,
              .source_epoch = 0,
              .sources = {},
              .kernel = "k",
              .packages = std::move(packages),
              .provides = {},
              .accept_scripts = {},
              .programs = {{"weir-init", digest, ByteCount{1}}},
              .builder_version = "0",
              .compressor = "newc"};
}

}  // namespace

TEST_CASE("changes name what was added, removed, and changed in version or bytes") {
  const Lock before = lock({package("a", "1", "a1"), package("b", "1", "b1"),
                            package("c", "1", "c1"), package("d", "1", "d1")},
                           "abc");
  const Lock after = lock({package("a", "1", "a1"), package("b", "2", "b2"),
                           package("c", "1", "rebuilt"), package("e", "1", "e1")},
                          "");
  CHECK(changes(before, before).empty());
  const std::vector<LockChange> expected = {{"b", "1", "2"},
                                            {"c", "1", "1"},
                                            {"d", "1", std::nullopt},
                                            {"e", std::nullopt, "1"},
                                            {"weir-init", "ba7816bf8f01", "e3b0c44298fc"}};
  CHECK(changes(before, after) == expected);
}

TEST_CASE("a package of the same bytes that comes from elsewhere is a change, and so is an index") {
  Lock before = lock({package("a", "1", "a1"), package("b", "1", "b1")}, "");
  before.sources = {{"mine:./", Digest::of(as_bytes("one")), "monday", "KEY"},
                    {"stable", Digest::of(as_bytes("two")), "monday", "KEY"},
                    {"backports", Digest::of(as_bytes("six")), "monday", "KEY"}};
  Lock after = before;
  after.packages[0].path = "x.deb";
  after.packages[1].suite = "t";
  after.sources[0].inrelease_digest = Digest::of(as_bytes("three"));
  after.sources[1] = {"stable", Digest::of(as_bytes("four")), "tuesday", "KEY"};
  after.sources[2].expired = "sunday";
  CHECK(changes(before, after) ==
        std::vector<LockChange>{{"expired index of backports", std::nullopt, "sunday"},
                                {"place of a", "s pool/x.deb", "s x.deb"},
                                {"place of b", "s pool/x.deb", "t pool/x.deb"}});
  CHECK(index_changes(before, after) ==
        std::vector<LockChange>{{"mine:./", "monday", "monday, of other bytes"},
                                {"stable", "monday", "tuesday"}});
  CHECK(index_changes(before, before).empty());
}

}  // namespace weir::builder
