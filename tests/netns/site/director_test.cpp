// Fleets whose director is a real one: two on one host, and one without a way out.
#include <optional>

#include "deployer/orders/edge/observe.h"
#include "deployer/orders/edge/orders.h"
#include "deployer/serve/status_report.h"
#include "tests/netns/temporary_namespace.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;

/// Real steering in a namespace; documents and state of a fleet that has no machines.
struct Installation {
  FakeFleet documents{1};
  std::string yaml = documents.folder + "/fleet.yaml";

  explicit Installation(const std::string& space) {
    auto text = read_file(yaml, ByteCount{1 << 20});
    REQUIRE(text.has_value());
    const std::string upstream = "upstream_interface: up0";
    const auto at = text->find(upstream);
    REQUIRE(at != std::string::npos);
    text->insert(at + upstream.size(), ", network_namespace: " + space);
    REQUIRE(write_file(yaml, *text).has_value());
  }
  [[nodiscard]] std::unique_ptr<Site> open(Access access = Access::write) const {
    auto site = Site::open(yaml, access, [](const std::string&) {});
    if (!site) FAIL(site.error().message);
    return std::move(*site);
  }
  [[nodiscard]] StatusReport status() const {
    const auto site = open(Access::read);
    const auto seen = observe(*site, std::chrono::milliseconds(100));
    REQUIRE(seen.has_value());
    return status_of(site->documents(), *seen);
  }
  [[nodiscard]] Result<Report> down() const {
    const std::atomic<bool> interrupted{false};
    const auto site = open();
    return run_order({*site, interrupted, std::chrono::steady_clock::now()}, DownOrder{});
  }
};

}  // namespace

TEST_CASE("a fleet takes down the steering that its own state folder made, and no other's") {
  const test::TemporaryNamespace host("site");
  const Installation ours(host.name()), theirs(host.name());
  REQUIRE(ours.open()->director().install({}, {}).has_value());
  const auto tables = [&] { return host.exec("nft list tables").text; };
  const std::string before = tables();
  REQUIRE(has(before, "table inet weir"));

  CHECK_FALSE(theirs.status().steering);
  CHECK(has(theirs.status().director_trouble, theirs.documents.folder + "/state"));
  for (const bool state_is_there : {false, true}) {
    CAPTURE(state_is_there);
    const auto refused = theirs.down();
    REQUIRE_FALSE(refused.has_value());
    CHECK(has(refused.error().message, "is not this fleet's"));
    CHECK(has(refused.error().message, "--fleet"));
    CHECK(has(refused.error().message, "ip netns exec " + host.name() + " nft delete table"));
  }
  CHECK(tables() == before);

  CHECK(ours.status().steering);
  const auto done = ours.down();
  REQUIRE(done.has_value());
  CHECK(done->outcome == Outcome::done);
  CHECK(tables() == "");
}

TEST_CASE("up looks for the upstream interface where the director is") {
  const test::TemporaryNamespace host("site");
  const Installation fleet(host.name());
  const auto error = [&] {
    const auto planned =
        plan_on(*fleet.open(Access::read), FakeFleet::up("one"), Seeing::forgotten);
    REQUIRE_FALSE(planned.has_value());
    return planned.error().message;
  };
  CHECK(
      has(error(), "director.upstream_interface: there is no interface up0 in network namespace " +
                       host.name()));
  REQUIRE(host.exec("ip link add up0 type veth peer name up1").status == 0);
  CHECK(has(error(), fleet.documents.folder + "/i: "));  // it has no identity either
}

TEST_CASE("a fleet whose network namespace is gone is told so, and can be taken down") {
  std::optional<test::TemporaryNamespace> host("site");
  const Installation fleet(host->name());
  {
    const auto site = fleet.open();
    REQUIRE(site->director().install({}, {}).has_value());
    REQUIRE(site->store().set_steered_namespace(host->name()).has_value());
    // Of a process that ended.
    const pool::MachineRecord ended{FakeFleet::node("blue-1"), 1, 1, site->state_path("blue-1")};
    REQUIRE(site->store().put_machine({ended, Digest::of({})}).has_value());
  }
  const std::string name = host->name();
  host.reset();

  const StatusReport status = fleet.status();
  CHECK_FALSE(status.steering);
  CAPTURE(status.director_trouble);
  CHECK(has(status.director_trouble, "network namespace " + name + " is gone"));
  CHECK(has(status.director_trouble, "`weir-deployer down`"));
  CHECK(has(status.director_trouble, "ip netns add " + name));
  for (const Order& order : {FakeFleet::up("one"), FakeFleet::deploy("two")}) {
    const auto refused = plan_on(*fleet.open(Access::read), order, Seeing::forgotten);
    REQUIRE_FALSE(refused.has_value());
    CHECK(has(refused.error().message, "is gone"));
  }

  const auto done = fleet.down();
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  CHECK(done->outcome == Outcome::done);
  // With no machine left, a namespace that is not there is one that nobody made yet.
  const auto none = Site::open(fleet.yaml, Access::read, [](const std::string&) {});
  REQUIRE_FALSE(none.has_value());
  CHECK(has(none.error().message, "ip netns add makes one"));
}

}  // namespace weir::deployer
