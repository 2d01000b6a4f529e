// Whole rollouts with kernel WireGuard in machines and live clients. Real packets decide. The cases
// share one fleet and run in this order; each ends with every client on blue.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "manifests/base/edge/file.h"
#include "tests/lab/process.h"
#include "tests/text.h"
#include "tests/vm/fleet_fixture.h"

namespace weir::test {
namespace {

using test::joined;

const lab::Argv kDeploy = {"deploy", "--release", kGreenRelease};

/// Made by the first case, removed when the program ends.
std::unique_ptr<BlueFleet> shared_fleet;

BlueFleet& fleet() {
  if (!shared_fleet) shared_fleet = std::make_unique<BlueFleet>(lab::FleetOptions{});
  return *shared_fleet;
}

struct EndOfProgram {
  ~EndOfProgram() { shared_fleet.reset(); }
} end_of_program;

lab::Session start_session() {
  auto session = lab::Session::start(fleet().lab(), lab::demo_clients());
  if (!session) FAIL(session.error().message);
  return std::move(*session);
}

/// What must hold for everybody: nothing lost, nothing reset.
void check_nothing_lost(const lab::Report& report) {
  const std::string wrong = joined(lab::verdicts(report));
  std::fputs(("\n" + lab::print_table(report) + "\n").c_str(), stderr);
  CHECK(wrong == "");
}

/// The links that each client's data last went out on, by client.
std::map<std::string, std::string> places(const lab::Session& session) {
  std::map<std::string, std::string> out;
  const auto passages = session.observer().passages();
  for (const std::string& name : lab::demo_clients()) {
    const lab::ClientPlan* client = lab::find_client(fleet().lab().plan(), name);
    if (client->control) continue;
    const auto seen = passages.find(client->seen_from);
    out[name] = seen == passages.end() ? "nowhere" : seen->second.back().interface;
  }
  return out;
}

std::size_t count_on(const lab::Session& session, const std::string& interface) {
  std::size_t out = 0;
  for (const auto& [name, place] : places(session)) out += place == interface ? 1U : 0U;
  return out;
}

std::vector<std::string> names_in(const nlohmann::json& list) {
  std::vector<std::string> out;
  for (const auto& item : list) out.push_back(item["name"]);
  std::sort(out.begin(), out.end());
  return out;
}

void signal_node(const std::string& node, int number) {
  REQUIRE(::kill(static_cast<pid_t>(fleet().machine_pid(node)), number) == 0);
}

void write_key(const std::string& path, const std::string& key) {
  REQUIRE(write_file(path, key, 0600).has_value());
}

}  // namespace

TEST_CASE("clients move to green and back, and there and back again, and lose nothing") {
  lab::Session session = start_session();
  session.move("deploy", kDeploy, "green");
  session.move("rollback", {"rollback"}, "blue");
  session.move("deploy again", kDeploy, "green");
  session.move("rollback again", {"rollback"}, "blue");
  check_nothing_lost(session.finish());
}

TEST_CASE("with every green node frozen, a rollback has each client back within one second") {
  lab::Session session = start_session();
  session.move("deploy", kDeploy, "green");
  signal_node("green-1", SIGSTOP);
  REQUIRE(eventually([] { return fleet().machine("green-1") == "frozen"; }));
  session.move("rollback", {"rollback"}, "blue");
  const lab::Report report = session.finish();
  std::fputs(("\n" + lab::print_table(report) + "\n").c_str(), stderr);
  REQUIRE(report.movements.size() == 2);
  CHECK(report.movements[1].not_moved.empty());
  CHECK(report.failures.empty());
  for (const lab::PingLog& log : report.traffic.pings) {
    CAPTURE(log.flow);
    const auto back = lab::first_reply_after(log.samples, report.movements[1].ordered);
    REQUIRE(back != 0);
    CHECK(back - report.movements[1].ordered < 1'000'000'000);
  }
  for (const lab::StreamLog& log : report.traffic.streams) {
    CAPTURE(log.flow);
    CHECK(log.resets == 0);
  }
  // Nothing shall keep a rollout from booting green afresh.
  signal_node("green-1", SIGKILL);
}

TEST_CASE("clients that cannot handshake with green stay on blue, lose nothing, and are named") {
  lab::Lab& lab = fleet().lab();
  const std::string key_file = lab.path("clients/nat.psk");
  const auto right_key = read_file(key_file, ByteCount{4096});
  REQUIRE(right_key.has_value());
  lab::Session session = start_session();
  write_key(key_file, *lab::must_read({"wg", "genpsk"}));

  {
    // More than the policy allows (none): nobody moves.
    const lab::Output refused = fleet().order({"deploy", "--release", kGreenRelease, "--json"});
    CAPTURE(refused.out);
    CHECK(refused.status == 1);
    const auto result = nlohmann::json::parse(refused.out, nullptr, false);
    REQUIRE(result.is_object());
    CHECK(result["moved"].empty());
    const auto stayed = names_in(result["stayed"]);
    CHECK(std::count(stayed.begin(), stayed.end(), "nat") == 1);
    CHECK(count_on(session, "weir-d1") == 4);
    CHECK(fleet().machine("green-1") == "gone");
  }

  fleet().use({.policy = "max_failed: 60%"});
  const lab::Output moved = fleet().order({"deploy", "--release", kGreenRelease, "--json"});
  CAPTURE(moved.out);
  CHECK(moved.status == 0);
  const auto result = nlohmann::json::parse(moved.out, nullptr, false);
  REQUIRE(result.is_object());
  CHECK(names_in(result["moved"]) == std::vector<std::string>{"ipv6", "plain", "talker"});
  CHECK(names_in(result["stayed"]) == std::vector<std::string>{"nat"});
  CHECK(eventually([&] { return count_on(session, "weir-d2") == 3; }));
  CHECK(count_on(session, "weir-d1") == 1);

  write_key(key_file, *right_key);
  fleet().use({});
  session.move("rollback", {"rollback"}, "blue", {"nat"});
  check_nothing_lost(session.finish());
  signal_node("green-1", SIGKILL);
}

TEST_CASE("a revoked client loses its tunnel, is named, and has it again with its line") {
  lab::Lab& lab = fleet().lab();
  REQUIRE(lab.wait_for_tunnel("talker").has_value());
  const auto key = lab.keys_of(*lab::find_client(lab.plan(), "talker"));
  REQUIRE(key.has_value());
  REQUIRE(lab.write_peers({"talker"}).has_value());
  const lab::Output up = fleet().order({"up", "--release", kBlueRelease, "--json"});
  CAPTURE(up.out);
  CHECK(up.status == 0);
  const auto told = nlohmann::json::parse(up.out, nullptr, false);
  REQUIRE(told.is_object());
  REQUIRE(told["revoked"].size() == 1);
  CHECK(told["revoked"][0]["public_key"] == key->public_key);
  const auto after = fleet().status();
  for (const auto& client : after["clients"]) CHECK(client["public_key"] != key->public_key);
  CHECK(fleet().dump_peers("blue").find(key->public_key) == std::string::npos);
  CHECK(lab.wait_for_tunnel("plain").has_value());

  REQUIRE(lab.write_peers({}).has_value());
  CHECK(fleet().order({"up", "--release", kBlueRelease}).status == 0);
  CHECK(lab.wait_for_tunnel("talker").has_value());
}

TEST_CASE("a deployer killed while preparing: nobody notices, status tells, rollback cleans up") {
  lab::Lab& lab = fleet().lab();
  const std::string key_file = lab.path("clients/nat.psk");
  const auto right_key = read_file(key_file, ByteCount{4096});
  REQUIRE(right_key.has_value());
  lab::Session session = start_session();
  // One client that never answers keeps the others prepared until the time-out.
  write_key(key_file, *lab::must_read({"wg", "genpsk"}));
  const auto process = lab::start(lab.deployer(kDeploy), lab.path("log/killed.log"));
  REQUIRE(process.has_value());
  REQUIRE(eventually([] { return fleet().status()["holds"].get<int>() > 0; }));
  REQUIRE(kill_process(*process).has_value());
  REQUIRE(*wait_for_end(*process, kPatience));
  write_key(key_file, *right_key);

  const auto status = fleet().status();
  CAPTURE(status.dump(2));
  CHECK(status["active_pool"] == "blue");
  CHECK(status["next"] != "");
  for (const auto& client : status["clients"]) CHECK(client["node"] == "blue-1");
  CHECK(count_on(session, "weir-d1") == 4);

  SUBCASE("rollback") {
    CHECK(fleet().order({"rollback"}).status != 2);
    CHECK(count_on(session, "weir-d1") == 4);
  }
  SUBCASE("deploy") {
    session.move("deploy", kDeploy, "green");
    session.move("rollback", {"rollback"}, "blue");
  }
  const auto after = fleet().status();
  CAPTURE(after.dump(2));
  CHECK(after["rights"] == 0);
  CHECK(after["holds"] == 0);
  check_nothing_lost(session.finish());
}

TEST_CASE("a deployer killed while committing: everybody works, status tells, deploy finishes") {
  lab::Lab& lab = fleet().lab();
  fleet().use({.policy = "batch: 1"});
  lab::Session session = start_session();
  const auto process = lab::start(lab.deployer(kDeploy), lab.path("log/killed.log"));
  REQUIRE(process.has_value());
  // The first client's data on green's link: the others have yet to follow.
  REQUIRE(eventually([&] { return count_on(session, "weir-d2") > 0; }));
  REQUIRE(kill_process(*process).has_value());
  REQUIRE(*wait_for_end(*process, kPatience));

  const auto before = places(session);
  const auto status = fleet().status();
  CAPTURE(status.dump(2));
  std::size_t agreeing = 0;
  for (const auto& client : status["clients"]) {
    const auto place = before.find(client["name"].get<std::string>());
    if (place == before.end()) continue;
    CAPTURE(client.dump());
    CHECK(client["node"] == (place->second == "weir-d2" ? "green-1" : "blue-1"));
    ++agreeing;
  }
  CHECK(agreeing == 4);
  CHECK(status["next"] != "");

  // Who is where an order leads already is found there, not moved.
  const auto found_on = [&](const std::string& link) {
    std::vector<std::string> out;
    for (const auto& [client, place] : before) {
      if (place == link) out.push_back(client);
    }
    return out;
  };
  SUBCASE("deploy") {
    session.move("deploy", kDeploy, "green", found_on("weir-d2"));
    session.move("rollback", {"rollback"}, "blue");
  }
  SUBCASE("rollback") {
    session.move("rollback", {"rollback"}, "blue", found_on("weir-d1"));
  }
  const auto after = fleet().status();
  CHECK(after["rights"] == 0);
  CHECK(after["holds"] == 0);
  fleet().use({});
  check_nothing_lost(session.finish());
}

TEST_CASE("green freezes while clients are committed: everybody is brought back, and it says so") {
  fleet().use({.policy = "batch: 1"});
  lab::Session session = start_session();
  std::thread freezer([&] {
    if (eventually([&] { return count_on(session, "weir-d2") > 0; })) {
      signal_node("green-1", SIGSTOP);
    }
  });
  const lab::Output result = fleet().order({"deploy", "--release", kGreenRelease, "--json"});
  freezer.join();
  CAPTURE(result.out);
  CHECK(result.status == 3);
  const auto told = nlohmann::json::parse(result.out, nullptr, false);
  REQUIRE(told.is_object());
  CHECK(told["outcome"] == "rolled back");
  CHECK(eventually([&] { return count_on(session, "weir-d1") == 4; }));
  const auto after = fleet().status();
  CAPTURE(after.dump(2));
  CHECK(after["active_pool"] == "blue");
  CHECK(after["rights"] == 0);
  // What stands holds back green-1, should it go on, and moves nobody.
  for (const auto& client : after["clients"]) CHECK(client["being_moved"] == false);
  fleet().use({});
  const lab::Report report = session.finish();
  std::fputs(("\n" + lab::print_table(report) + "\n").c_str(), stderr);
  for (const lab::StreamLog& log : report.traffic.streams) CHECK(log.resets == 0);
  signal_node("green-1", SIGKILL);
}

}  // namespace weir::test
