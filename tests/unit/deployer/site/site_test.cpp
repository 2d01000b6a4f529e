// What opening a fleet makes, and what it refuses.
#include "deployer/site/edge/site.h"

#include <sys/stat.h>
#include <unistd.h>

#include "deployer/orders/edge/observe.h"
#include "deployer/serve/status_report.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

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

}  // namespace weir::deployer
