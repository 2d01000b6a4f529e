// Whole orders against a fleet that is played: what is told, what is done, and what the registry
// means while it is done.
#include "deployer/orders/edge/orders.h"

#include <sqlite3.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;
using test::joined;

using Json = nlohmann::json;

std::string joined(const std::vector<Reason>& reasons) {
  std::string out;
  for (const Reason& reason : reasons) out += reason.text + "\n";
  return out;
}

/// The registry of a node's device.
std::set<PublicKey> peers_on(FakeFleet& fleet, const char* node) {
  std::set<PublicKey> out;
  for (const auto& [key, peer] : fleet.nodes.at(FakeFleet::node(node)).peers) out.insert(key);
  return out;
}

std::set<PublicKey> keys(std::initializer_list<unsigned> numbers) {
  std::set<PublicKey> out;
  for (const unsigned n : numbers) out.insert(FakeFleet::key(n));
  return out;
}

}  // namespace

TEST_CASE("up boots the first pool, feeds it and makes it the active one, as its plan says") {
  FakeFleet fleet(3);
  const auto planned = fleet.plan(FakeFleet::up("one"));
  REQUIRE(planned.has_value());
  const Json told = Json::parse(print_json(planned->plan));
  CHECK(told["plan"] == "up");
  CHECK(told["boot"] == Json::array({"blue-1"}));
  CHECK(told["install_steering"] == true);
  CHECK_FALSE(fleet.installed);
  fleet.done(FakeFleet::up("one"));
  CHECK(fleet.installed);
  CHECK(fleet.steering.active == director::equal_weights({FakeFleet::node("blue-1")}));
  CHECK(peers_on(fleet, "blue-1") == keys({1, 2, 3}));
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).boots == 1);

  SUBCASE("again it keeps what runs") {
    const auto again = fleet.plan(FakeFleet::up("one"));
    REQUIRE(again.has_value());
    CHECK(Json::parse(print_json(again->plan))["boot"].empty());
    fleet.done(FakeFleet::up("one"));
    CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).boots == 1);
  }
  SUBCASE("a plan refuses what the order refuses") {
    const auto plan = fleet.plan(FakeFleet::up("two"));
    const auto order = fleet.order(FakeFleet::up("two"));
    REQUIRE_FALSE(plan.has_value());
    REQUIRE_FALSE(order.has_value());
    CHECK(plan.error().message == order.error().message);
    CHECK(has(plan.error().message, "weir-deployer deploy --release two"));
  }
  SUBCASE("a deploy of what runs finds nothing to do, and its plan boots nothing") {
    const auto plan = fleet.plan(FakeFleet::deploy("one"));
    REQUIRE(plan.has_value());
    CHECK(Json::parse(print_json(plan->plan))["nothing_to_do"] == true);
    CHECK_FALSE(has(print_text(plan->plan), "boot"));
    fleet.done(FakeFleet::deploy("one"));
    CHECK(fleet.nodes.at(FakeFleet::node("green-1")).boots == 0);
  }
}

TEST_CASE("a plan ends what runs on a node only where a machine is there") {
  FakeFleet fleet(2);
  const auto told = [&](const Order& order) {
    const auto planned = fleet.plan(order);
    REQUIRE(planned.has_value());
    return std::pair(print_text(planned->plan), Json::parse(print_json(planned->plan))["end"]);
  };
  const auto [first, none] = told(FakeFleet::up("one"));
  CHECK_FALSE(has(first, "end what runs"));
  CHECK(has(first, "  boot release one (kernel "));
  CHECK(has(first, " on blue-1 of pool blue\n"));
  CHECK(none == Json::array());
  fleet.done(FakeFleet::up("one"));
  CHECK_FALSE(has(told(FakeFleet::deploy("two")).first, "end what runs"));
  fleet.done(FakeFleet::deploy("two"));
  // The pool before is kept warm, and gives way to the next release.
  fleet.put_release("three");
  const auto [third, warm] = told(FakeFleet::deploy("three"));
  CHECK(has(third, "  end what runs on blue-1 of pool blue, and boot release three (kernel "));
  CHECK(warm == Json::array({"blue-1"}));
}

TEST_CASE("up without a way on for what leaves tunnels is refused by plan and order") {
  FakeFleet fleet(2);
  fleet.director_says = [](std::string_view call) -> Status {
    if (call == "check_upstream") return fail(Errc::not_found, "there is no interface up0");
    return {};
  };
  const auto planned = fleet.plan(FakeFleet::up("one"));
  const auto ordered = fleet.order(FakeFleet::up("one"));
  REQUIRE_FALSE(planned.has_value());
  REQUIRE_FALSE(ordered.has_value());
  CHECK(planned.error().message == ordered.error().message);
  CHECK(has(planned.error().message, "director.upstream_interface: there is no interface up0"));
  CHECK_FALSE(fleet.installed);
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).boots == 0);
  CHECK(fleet.plan(DownOrder{}).has_value());
}

TEST_CASE("a deploy moves active clients, and a rollback moves them back, as their plans say") {
  FakeFleet fleet(4);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.connect(2, "blue-1");
  const auto plan = fleet.plan(FakeFleet::deploy("two"));
  REQUIRE(plan.has_value());
  const Json told = Json::parse(print_json(plan->plan));
  CHECK(told["moves"] == Json::parse(R"([{"from":"blue-1","to":"green-1","clients":2}])"));
  const Report there = fleet.done(FakeFleet::deploy("two"));
  CHECK(there.clients.size() == 2);
  for (const unsigned n : {1U, 2U}) {
    CHECK(fleet.clients.at(FakeFleet::key(n)).session == FakeFleet::node("green-1"));
    CHECK(fleet.clients.at(FakeFleet::key(n)).lost == 0);
  }
  CHECK(there.warnings.empty());
  fleet.done(RollbackOrder{});
  for (const unsigned n : {1U, 2U}) {
    CHECK(fleet.clients.at(FakeFleet::key(n)).session == FakeFleet::node("blue-1"));
  }
}

TEST_CASE("a peer registered after a deploy is known to the pool that a rollback goes to") {
  FakeFleet fleet(2);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  fleet.registry.insert(9);
  fleet.write();
  // The pool in use was told of it, the warm one was not.
  fleet.nodes.at(FakeFleet::node("green-1"))
      .peers.emplace(
          FakeFleet::key(9),
          manifests::PeerState{
              FakeFleet::key(9), {*Prefix::parse(FakeFleet::inner(9))}, false, {}, 0, 0, 0, 0});
  fleet.connect(9, "green-1");
  // As a serving deployer keeps it.
  REQUIRE(fleet.site()
              ->store()
              .put_clients({{FakeFleet::key(9), fleet.clients.at(FakeFleet::key(9)).endpoint,
                             FakeFleet::node("green-1")}})
              .has_value());
  fleet.nodes.at(FakeFleet::node("green-1")).machine = pool::MachineState::frozen;
  const auto report = fleet.order(RollbackOrder{});
  REQUIRE(report.has_value());
  CAPTURE(joined(fleet.said));
  CHECK(peers_on(fleet, "blue-1").contains(FakeFleet::key(9)));
  CHECK(fleet.clients.at(FakeFleet::key(9)).session == FakeFleet::node("blue-1"));
}

TEST_CASE("a registry that lost most of its peers is listed, and refused unless that is said") {
  FakeFleet fleet(200);
  fleet.done(FakeFleet::up("one"));
  fleet.registry = {1, 2, 3};
  fleet.write();
  for (const Order& order : {FakeFleet::deploy("two"), FakeFleet::up("one")}) {
    const auto refused = fleet.order(order);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::exhausted);
    CHECK(has(refused.error().message, "--allow-removals 197"));
    CHECK_FALSE(fleet.plan(order).has_value());
  }
  CHECK(peers_on(fleet, "blue-1").size() == 200);
  CHECK(fleet.nodes.at(FakeFleet::node("green-1")).boots == 0);

  const auto listed = fleet.plan(FakeFleet::up("one", 197));
  REQUIRE(listed.has_value());
  const Json told = Json::parse(print_json(listed->plan));
  CHECK(told["registry"]["removed"].size() == 197);
  CHECK(has(print_text(listed->plan), FakeFleet::key(77).string()));
  CHECK_FALSE(fleet.order(FakeFleet::up("one", 196)).has_value());
  fleet.done(FakeFleet::up("one", 197));
  CHECK(peers_on(fleet, "blue-1") == keys({1, 2, 3}));
}

TEST_CASE("an empty registry takes nobody's tunnel away unless that is said") {
  FakeFleet fleet(1);
  fleet.done(FakeFleet::up("one"));
  fleet.registry.clear();
  fleet.write();
  const auto refused = fleet.order(FakeFleet::up("one"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(has(refused.error().message, "--allow-removals 1"));
  CHECK(peers_on(fleet, "blue-1") == keys({1}));
  fleet.done(FakeFleet::up("one", 1));
  CHECK(peers_on(fleet, "blue-1").empty());
}

TEST_CASE("a rollback takes revoked keys and old allowed IPs from the pool that it goes to") {
  FakeFleet fleet(20);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  fleet.registry.erase(5);
  fleet.moved_inner.insert(6);
  fleet.write();
  const auto plan = fleet.plan(RollbackOrder{});
  REQUIRE(plan.has_value());
  CHECK(plan->plan.registry.removed == keys({5}));
  fleet.done(RollbackOrder{});
  for (const char* node : {"blue-1", "green-1"}) {
    CHECK_FALSE(peers_on(fleet, node).contains(FakeFleet::key(5)));
    CHECK(fleet.nodes.at(FakeFleet::node(node)).peers.at(FakeFleet::key(6)).allowed_ips ==
          std::vector<Prefix>{*Prefix::parse(FakeFleet::inner(1006))});
  }
}

TEST_CASE("a rollback does not wait for a registry that lost too many, and says so") {
  FakeFleet fleet(20);
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy("two"));
  fleet.registry = {1};
  fleet.write();
  const Report report = fleet.done(RollbackOrder{});
  CHECK(has(joined(report.warnings), "keeps them all"));
  CHECK(peers_on(fleet, "blue-1").size() == 20);
  fleet.done(FakeFleet::up("one", 19));
  CHECK(peers_on(fleet, "blue-1").size() == 1);
}

TEST_CASE("a node that cannot be brought to the registry is named") {
  FakeFleet fleet(3);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  fleet.registry.insert(8);
  fleet.write();
  FakeFleet::Node& blue = fleet.nodes.at(FakeFleet::node("blue-1"));
  const char* why = "";
  SUBCASE("it is silent") {
    blue.answers = false;
    why = "node blue-1 does not give its peers, so it is not brought to the registry";
  }
  SUBCASE("it is frozen") {
    blue.machine = pool::MachineState::frozen;
    why = "node blue-1 is frozen, so it is not brought to the registry";
  }
  SUBCASE("it is frozen, and a peer was removed") {
    blue.machine = pool::MachineState::frozen;
    fleet.registry = {2, 3};
    fleet.write();
    why = "node blue-1 is frozen, so it is not brought to the registry";
  }
  const auto planned = fleet.plan(FakeFleet::up("two"));
  REQUIRE(planned.has_value());
  CHECK(has(joined(planned->plan.warnings), why));
  const Report report = fleet.done(FakeFleet::up("two"));
  CHECK(has(joined(report.warnings), why));
}

TEST_CASE("a revoked client loses its sessions on every node, is named, and is no failure") {
  FakeFleet fleet(20);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.connect(2, "blue-1");
  fleet.registry.erase(2);
  fleet.write();
  Report report;
  SUBCASE("with up") {
    report = fleet.done(FakeFleet::up("one"));
    CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("blue-1"));
  }
  SUBCASE("with deploy") {
    report = fleet.done(FakeFleet::deploy("two"));
    CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("green-1"));
  }
  CHECK_FALSE(fleet.clients.at(FakeFleet::key(2)).session.has_value());
  for (const char* node : {"blue-1", "green-1"}) {
    CHECK_FALSE(peers_on(fleet, node).contains(FakeFleet::key(2)));
  }
  const Json told = Json::parse(print_json(report));
  REQUIRE(told["revoked"].size() == 1);
  CHECK(told["revoked"][0]["public_key"] == FakeFleet::key(2).string());
  CHECK(told["stayed"].empty());
  CHECK(fleet.clients.at(FakeFleet::key(1)).lost == 0);
  for (const auto& [prefix, node] : fleet.steering.assigned) {
    CHECK(prefix != *Prefix::parse(FakeFleet::inner(2)));
  }
}

TEST_CASE("a deploy that moved nobody and sent no probe says that nothing was proved") {
  FakeFleet fleet(3);
  fleet.done(FakeFleet::up("one"));
  const auto plan = fleet.plan(FakeFleet::deploy("two"));
  REQUIRE(plan.has_value());
  CHECK(has(print_text(plan->plan), "prove nothing"));
  const Report report = fleet.done(FakeFleet::deploy("two"));
  CHECK(Json::parse(print_json(report))["proved"] == "nothing");
  CHECK(has(print_text(report), "nothing was proved"));
}

TEST_CASE("up gives a changed preshared key, and live sessions stay") {
  FakeFleet fleet(2);
  fleet.preshared_keys[1] = std::string(32, 'a');
  fleet.write();
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.preshared_keys[1] = std::string(32, 'b');
  fleet.write();
  fleet.done(FakeFleet::up("one"));
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).preshared.at(FakeFleet::key(1)) ==
        std::string(32, 'b'));
  CHECK(fleet.clients.at(FakeFleet::key(1)).lost == 0);
}

TEST_CASE("a rollback's first feed does not give again the preshared keys that a node has") {
  FakeFleet fleet(6);
  for (unsigned n = 1; n <= 6; ++n) fleet.preshared_keys[n] = std::string(32, 'k');
  fleet.write();
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  auto& blue = fleet.nodes.at(FakeFleet::node("blue-1"));
  blue.put.clear();
  fleet.registry.insert(9);
  fleet.write();
  std::optional<std::set<PublicKey>> before_calls;
  fleet.on_prepare = [&](FakeFleet&, const NodeId& node) {
    if (node == FakeFleet::node("blue-1") && !before_calls) before_calls = blue.put;
  };
  fleet.done(RollbackOrder{});
  REQUIRE(before_calls);
  CHECK(*before_calls == keys({9}));
  CHECK_MESSAGE(blue.put == keys({1, 2, 3, 4, 5, 6, 9}), "afterwards they are");
}

TEST_CASE("down forgets where clients were, and all that ran") {
  FakeFleet fleet(3);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  REQUIRE_FALSE(fleet.site()->store().clients()->empty());
  fleet.done(DownOrder{});
  CHECK(fleet.site()->store().clients()->empty());
  CHECK(fleet.site()->store().machines()->empty());
  CHECK_FALSE(fleet.installed);
  // Not in a corner of the file either.
  const std::string address = "203.0.113.1";
  for (const auto& file : std::filesystem::directory_iterator(fleet.folder + "/state")) {
    if (!file.is_regular_file()) continue;
    CAPTURE(file.path());
    const auto bytes = read_file(file.path(), ByteCount{16 << 20});
    REQUIRE(bytes.has_value());
    CHECK_FALSE(has(*bytes, address));
  }
}

TEST_CASE("an up that is interrupted while nodes boot ends, and undoes what it started") {
  FakeFleet fleet(2);
  fleet.nodes.at(FakeFleet::node("blue-1")).comes_up = false;
  fleet.on_start = [](FakeFleet& it, const NodeId&) { it.interrupted = true; };
  const auto report = fleet.order(FakeFleet::up("one"));
  REQUIRE(report.has_value());
  CHECK(report->outcome == Outcome::failed);
  REQUIRE(report->refusal);
  CHECK(report->refusal->code == Code::interrupted);
  // The error says it: progress and table need not.
  CHECK(report->refusal->text == "interrupted: nobody was moved");
  CHECK_FALSE(has(joined(fleet.said) + print_text(*report), "nobody was moved"));
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).machine == pool::MachineState::gone);
  CHECK_FALSE(fleet.installed);
}

namespace {

/// The tables of format 1, as 419a97a makes them.
constexpr const char* kFormatOne = R"sql(
CREATE TABLE machines (node TEXT PRIMARY KEY, pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL,
  folder TEXT NOT NULL, server_pin TEXT NOT NULL) STRICT;
CREATE TABLE pools (pool TEXT PRIMARY KEY, release TEXT NOT NULL, release_digest TEXT NOT NULL) STRICT;
CREATE TABLE active (one INTEGER PRIMARY KEY CHECK (one = 1), pool TEXT NOT NULL) STRICT;
CREATE TABLE rollouts (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, release TEXT NOT NULL,
  from_pool TEXT NOT NULL, to_pool TEXT NOT NULL, phase TEXT NOT NULL, started INTEGER NOT NULL,
  finished INTEGER NOT NULL, outcome TEXT NOT NULL) STRICT;
CREATE TABLE journal (id INTEGER PRIMARY KEY, rollout INTEGER NOT NULL REFERENCES rollouts(id),
  at_ms INTEGER NOT NULL, phase TEXT NOT NULL, reasons TEXT NOT NULL, commands TEXT NOT NULL) STRICT;
CREATE TABLE clients (public_key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, node TEXT NOT NULL) STRICT;
PRAGMA user_version=1;
)sql";

void run_sql(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  const bool fine = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  const std::string words = sqlite3_errmsg(db);
  sqlite3_close(db);
  if (!fine) FAIL(words);
}

/// Makes a fleet's state what a deployer of format 1 had written by the time it was killed while it
/// committed a deploy.
void put_back_to_format_one(const FakeFleet& fleet) {
  const std::string now = fleet.folder + "/state/fleet.db";
  const std::string before = fleet.folder + "/state/before.db";
  std::string sql = "PRAGMA journal_mode=WAL;" + std::string(kFormatOne) + "ATTACH '" + now +
                    "' AS now; PRAGMA foreign_keys=OFF;";
  for (const std::string table : {"machines", "pools", "active", "clients"}) {
    sql += "INSERT INTO main." + table + " SELECT * FROM now." + table + ";";
  }
  sql +=
      "INSERT INTO main.rollouts VALUES (1, 'deploy', 'two', 'blue', 'green', 'committing', "
      "1700000000, 0, '');";
  run_sql(before, sql);
  std::filesystem::remove(now + "-wal");
  std::filesystem::remove(now + "-shm");
  std::filesystem::rename(before, now);
}

}  // namespace

TEST_CASE("a plan on a state of format 1 tells of the unfinished rollout, and changes nothing") {
  FakeFleet fleet(3);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  fleet.done(FakeFleet::deploy("two"));
  put_back_to_format_one(fleet);
  const std::string file = fleet.folder + "/state/fleet.db";
  const auto before = read_file(file, ByteCount{16 << 20});
  REQUIRE(before.has_value());

  const auto back = fleet.plan(RollbackOrder{}, SqliteStore::Access::read);
  if (!back) FAIL(back.error().message);
  const Json told = Json::parse(print_json(back->plan));
  CHECK(told["from_pool"] == "green");
  CHECK(told["to_pool"] == "blue");
  const auto on = fleet.plan(FakeFleet::deploy("two"), SqliteStore::Access::read);
  if (!on) FAIL(on.error().message);
  CHECK(Json::parse(print_json(on->plan))["to_pool"] == "green");
  const auto other = fleet.plan(FakeFleet::deploy("one"), SqliteStore::Access::read);
  REQUIRE_FALSE(other.has_value());
  CHECK(has(other.error().message, "the deploy of two was not finished"));
  CHECK(*read_file(file, ByteCount{16 << 20}) == *before);

  fleet.done(RollbackOrder{});
  CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("blue-1"));
}

TEST_CASE("a machine that cannot be looked at for a moment counts as one that runs and is silent") {
  FakeFleet fleet(20);
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy("two"));
  fleet.registry.erase(5);
  fleet.write();
  fleet.nodes.at(FakeFleet::node("blue-1")).unseen = 1;
  const auto plan = fleet.plan(RollbackOrder{});
  REQUIRE(plan.has_value());
  CHECK(plan->plan.registry.unread == std::vector<NodeId>{FakeFleet::node("blue-1")});
  CHECK(plan->plan.keep_removed);
  CHECK(has(joined(plan->plan.warnings), "Too many open files"));
}

TEST_CASE("a boot is waited for although its machine cannot be looked at for a moment") {
  FakeFleet fleet(2);
  fleet.nodes.at(FakeFleet::node("blue-1")).unseen = 3;
  fleet.done(FakeFleet::up("one"));
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).boots == 1);
}

}  // namespace weir::deployer
