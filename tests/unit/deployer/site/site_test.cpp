// What opening a fleet makes, and what it refuses.
#include "deployer/site/edge/site.h"

#include <sys/stat.h>
#include <unistd.h>

#include "deployer/orders/edge/observe.h"
#include "deployer/serve/status_report.h"
#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"
#include "tests/folders.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;

Result<std::unique_ptr<Site>> open(const FakeFleet& fleet, Access access) {
  return Site::open(fleet.folder + "/fleet.yaml", access, [](const std::string&) {});
}

}  // namespace

TEST_CASE("status of a fleet that never was up makes no folder, no database and no key") {
  const FakeFleet fleet(2);
  {
    const auto site = open(fleet, Access::read);
    if (!site) FAIL(site.error().message);
    const auto seen = observe(**site, std::chrono::milliseconds(100));
    REQUIRE(seen.has_value());
    const StatusReport report = status_of((*site)->documents(), *seen);
    CHECK(report.idle == 2);
    CHECK(report.rollout.empty());
  }
  CHECK_FALSE(std::filesystem::exists(fleet.folder + "/state"));
  // A state that is there is read, and nothing is added to it.
  { REQUIRE(open(fleet, Access::write).has_value()); }
  std::filesystem::remove(fleet.folder + "/state/deployer-tls.pem");
  { REQUIRE(open(fleet, Access::read).has_value()); }
  CHECK_FALSE(std::filesystem::exists(fleet.folder + "/state/deployer-tls.pem"));
}

TEST_CASE("who has no fleet yet is told how to come to one") {
  const FakeFleet fleet(1);
  const auto site =
      Site::open(fleet.folder + "/none.yaml", Access::read, [](const std::string&) {});
  REQUIRE_FALSE(site.has_value());
  CHECK(site.error().code == Errc::not_found);
  CHECK(has(site.error().message, "weir-deployer init"));
  CHECK(has(site.error().message, "--fleet"));
}

TEST_CASE("a state folder that others may use is refused") {
  const FakeFleet fleet(1);
  const std::string state = fleet.folder + "/state";
  REQUIRE(open(fleet, Access::write).has_value());
  for (const mode_t mode : {0750U, 0701U, 0722U}) {
    REQUIRE(::chmod(state.c_str(), mode) == 0);
    for (const Access access : {Access::read, Access::serve, Access::write}) {
      const auto site = open(fleet, access);
      REQUIRE_FALSE(site.has_value());
      CHECK(site.error().code == Errc::unauthorized);
      CHECK(has(site.error().message, "chmod 700 " + state));
    }
  }
  REQUIRE(::chmod(state.c_str(), 0700) == 0);
  CHECK(open(fleet, Access::write).has_value());
  if (::geteuid() != 0) return;  // only root can give it away
  REQUIRE(::chown(state.c_str(), 4711, 4711) == 0);
  const auto site = open(fleet, Access::write);
  REQUIRE_FALSE(site.has_value());
  CHECK(site.error().code == Errc::unauthorized);
  CHECK(has(site.error().message, "4711"));
}

TEST_CASE("a fleet whose identity is missing can be looked at, and says so when it is checked") {
  const FakeFleet fleet(1);
  const auto site = open(fleet, Access::read);
  REQUIRE(site.has_value());
  const Status checked = (*site)->check_identity();
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == Errc::not_found);
  CHECK(has(checked.error().message, "identity: " + fleet.folder + "/i"));
  CHECK(has(checked.error().message, "weir-keys generate-wireguard"));
}

TEST_CASE("a fleet's identity is given to no node while it has two epochs") {
  const FakeFleet fleet(1, "identity_key_file: seal\n");
  const std::string corpus = test::source_folder() + "/tests/fuzz/corpus/identity/throw_away_";
  const auto put = [&](const std::string& name) {
    const auto text = read_file(corpus + name, ByteCount{1 << 16});
    REQUIRE(text.has_value());
    REQUIRE(write_file(fleet.folder + "/i", *text, 0600).has_value());
  };
  REQUIRE(write_file(fleet.folder + "/seal", std::string(32, 'k'), 0600).has_value());
  put("one_epoch");
  const auto site = open(fleet, Access::read);
  REQUIRE(site.has_value());
  CHECK((*site)->check_identity().has_value());
  CHECK((*site)->check_served().has_value());
  CHECK((*site)->identity()->current().public_key() == (*site)->identity_keys()->current());
  // Put there while the fleet is served.
  put("two_epochs");
  CHECK(has((*site)->check_identity().error().message, "holds two epochs"));
  CHECK(has((*site)->check_served().error().message,
            "identity: " + fleet.folder + "/i: holds two epochs"));
  const auto given = (*site)->identity();
  REQUIRE_FALSE(given.has_value());
  CHECK(has(given.error().message, fleet.folder + "/i: holds two epochs"));
  // What clients get now; RFC 7748, section 6.1: Bob's.
  CHECK((*site)->identity_keys()->current().string() ==
        "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=");
}

TEST_CASE("a deployer's key that others may read is refused") {
  const FakeFleet fleet(1);
  const std::string key = fleet.folder + "/state/deployer-tls.pem";
  { REQUIRE(open(fleet, Access::write).has_value()); }
  REQUIRE(::chmod(key.c_str(), 0640) == 0);
  const auto site = open(fleet, Access::write);
  REQUIRE_FALSE(site.has_value());
  CHECK(site.error().code == Errc::unauthorized);
  CHECK(has(site.error().message, "deployer-tls.pem"));
}

TEST_CASE(
    "what no fleet can have is refused when it is read to be looked at or planned, with its line") {
  FakeFleet fleet(2, "probe: {target: 203.0.113.10, source: 10.8.255.254}\n");
  const std::string yaml = fleet.folder + "/fleet.yaml", peers = fleet.folder + "/peers.jsonl";
  CHECK(open(fleet, Access::read).has_value());
  const auto text_of = [](const std::string& path) {
    auto text = read_file(path, ByteCount{1 << 20});
    REQUIRE(text.has_value());
    return *text;
  };
  const auto changed = [&](const std::string& path, const std::string& from,
                           const std::string& to) {
    std::string text = text_of(path);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    REQUIRE(write_file(path, text.replace(at, from.size(), to)).has_value());
  };
  std::string where;
  SUBCASE("the probe's address at a client") {
    changed(peers, FakeFleet::inner(2), "10.8.255.254");
    where = peers + ":2: allowed_ips: ";
  }
  SUBCASE("a key of zeros") {
    changed(peers, FakeFleet::key(1).string(), std::string(43, 'A') + "=");
    where = peers + ":1: public_key: ";
  }
  SUBCASE("the gateways' own key") {
    const auto identity = keys::make_wireguard_identity();
    const auto salt = keys::random_secret(16), nonce = keys::random_secret(24);
    auto bytes = keys::random_secret(32);
    REQUIRE((identity && salt && nonce && bytes));
    const keys::SealingKey key{keys::SealingKey::Kind::key_file, std::move(*bytes)};
    const auto sealed = keys::seal_identity(*identity, key, salt->bytes(), nonce->bytes());
    REQUIRE(sealed.has_value());
    REQUIRE(write_file(fleet.folder + "/i", *sealed, 0600).has_value());
    CHECK(open(fleet, Access::read).has_value());
    changed(peers, FakeFleet::key(2).string(), identity->current().public_key().string());
    where = peers + ":2: public_key: ";
  }
  SUBCASE("a preshared key of zeros") {
    fleet.preshared_keys[2] = std::string(32, '\0');
    fleet.write();
    where = peers + ":2: preshared_key_file: ";
  }
  SUBCASE("a preshared key that is not there") {
    changed(peers, "\"name\":\"client-1\"", R"("preshared_key_file":"none")");
    where = peers + ":1: preshared_key_file: ";
  }
  SUBCASE("an upstream that is no way out") {
    changed(yaml, "up0", "lo");
    where = yaml + ":7: director.upstream_interface: ";
  }
  SUBCASE("a public address that is none") {
    changed(yaml, "198.51.100.1", "127.0.0.1");
    where = yaml + ":8: vip.ipv4: ";
  }
  const auto refused = open(fleet, Access::read);
  REQUIRE_FALSE(refused.has_value());
  CAPTURE(refused.error().message);
  CHECK(refused.error().message.starts_with(where));
}

}  // namespace weir::deployer
