// Files that a person names for an export, larger than such files are.
#include <doctest/doctest.h>

#include <string>

#include "builder/lock/edge/boot_stub.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {

TEST_CASE_FIXTURE(Fixture, "a stub over 16 MiB is refused by its size, whatever its digest") {
  run("truncate -s 16M most && truncate -s 16777217 more");
  CHECK(read_stub(path() + "/most", std::nullopt).has_value());
  const auto refused = read_stub(path() + "/more", std::nullopt);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::exhausted);
  CHECK(refused.error().message.find("more: larger than 16.0 MiB") != std::string::npos);

  (void)built();
  const std::string digest = run("sha256sum < more").substr(0, 64);
  const Outcome out = builder("export demo --format uki --out u --store store --key k.pub --stub " +
                              path() + "/more --stub-digest " + digest);
  CHECK(WEXITSTATUS(out.status) == 1);
  CHECK_MESSAGE(out.out.find("larger than 16.0 MiB") != std::string::npos, out.out);
  CHECK_FALSE(fs::exists(path() + "/u"));
}

TEST_CASE_FIXTURE(Fixture, "keys and certificates over 1 MiB are refused before anything is made") {
  (void)built();
  run("truncate -s 1M most && truncate -s 1048577 more");
  const auto exported = [&](const std::string& key, const std::string& certificate) {
    return builder("export demo --format uki --out u --store store --key k.pub --secure-boot-key " +
                   path() + "/" + key + " --secure-boot-cert " + path() + "/" + certificate +
                   " --stub " + path() + "/absent --stub-digest " + std::string(64, '0'));
  };
  for (const auto& [key, certificate] : {std::pair("more", "most"), std::pair("most", "more")}) {
    const Outcome out = exported(key, certificate);
    CHECK(WEXITSTATUS(out.status) == 1);
    CHECK_MESSAGE(out.out.find("secure boot: ") != std::string::npos, out.out);
    CHECK_MESSAGE(out.out.find("/more: larger than 1.0 MiB") != std::string::npos, out.out);
  }
  // As large as they may be, they are not what is missing.
  CHECK(exported("most", "most").out.find("absent") != std::string::npos);
  CHECK_FALSE(fs::exists(path() + "/u"));
}

}  // namespace weir::builder
