// A serving deployer: orders go through it, and between orders it keeps the pools as they should
// be.
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "deployer/pool/vm/edge/qmp.h"
#include "deployer/site/edge/site.h"
#include "tests/lab/process.h"
#include "tests/vm/fleet_fixture.h"

namespace weir::test {
namespace {

using std::chrono::seconds;

const lab::Argv kDeploy = {"deploy", "--release", kGreenRelease};

/// Where a node's kernel would send a peer's packets, as the node API tells it.
std::optional<Endpoint> endpoint_on(BlueFleet& fleet, const std::string& node,
                                    const PublicKey& key) {
  auto site = deployer::Site::open(fleet.lab().path("fleet.yaml"), deployer::Access::read,
                                   [](const std::string&) {});
  if (!site) return std::nullopt;
  auto client = (*site)->connect(*NodeId::parse(node), seconds(20));
  if (!client) return std::nullopt;
  const auto dump = (*client)->peers();
  if (!dump) return std::nullopt;
  for (const auto& peer : dump->peers) {
    if (peer.public_key == key) return peer.endpoint;
  }
  return std::nullopt;
}

/// As pressing the machine's reset button: its memory, and with it key, peers and sessions, is
/// lost.
void reset_machine(BlueFleet& fleet, const std::string& node) {
  auto site = deployer::Site::open(fleet.lab().path("fleet.yaml"), deployer::Access::read,
                                   [](const std::string&) {});
  REQUIRE(site.has_value());
  const auto machines = (*site)->store().machines();
  REQUIRE(machines.has_value());
  auto qmp = pool::QmpClient::open(machines->at(*NodeId::parse(node)).record.folder, kPatience);
  REQUIRE(qmp.has_value());
  REQUIRE(qmp->run("system_reset").has_value());
}

}  // namespace

TEST_CASE("a serving deployer moves clients, follows those that roam, and revives a node") {
  BlueFleet fleet({});
  lab::Lab& lab = fleet.lab();
  const auto server = lab::start(lab.deployer({"serve"}), lab.path("log/serve.log"));
  REQUIRE(server.has_value());
  REQUIRE(eventually([&] { return std::filesystem::exists(lab.path("state/control.sock")); }));
  const auto move = [&](const std::string& name, const lab::Argv& command, const char* to) {
    auto session = lab::Session::start(lab, lab::demo_clients());
    if (!session) FAIL(session.error().message);
    session->move(name, command, to);
    const lab::Report report = session->finish();
    std::fputs(("\n" + lab::print_table(report) + "\n").c_str(), stderr);
    for (const std::string& wrong : lab::verdicts(report)) CHECK(wrong == "");
  };
  move("deploy", kDeploy, "green");

  // The client takes another port, as behind a NAT that forgot it: the idle pool hears of it, so
  // that the way back is as short as before.
  const lab::ClientPlan* plain = lab::find_client(lab.plan(), "plain");
  const auto key = PublicKey::parse(lab.keys_of(*plain)->public_key);
  REQUIRE(key.has_value());
  REQUIRE(lab::must_run({"wg", "set", plain->interface, "listen-port", "45454"}).has_value());
  REQUIRE(lab.wait_for_tunnel("plain").has_value());
  CHECK(eventually([&] {
    const auto endpoint = endpoint_on(fleet, "blue-1", *key);
    return endpoint && endpoint->port == 45454;
  }));
  move("rollback", {"rollback"}, "blue");

  reset_machine(fleet, "blue-1");
  for (const char* client : {"plain", "ipv6", "nat", "talker"}) {
    CAPTURE(client);
    REQUIRE(lab.wait_for_tunnel(client).has_value());
  }
  const auto said = read_file(lab.path("log/serve.log"), ByteCount{1 << 20});
  REQUIRE(said.has_value());
  CAPTURE(*said);
  CHECK(said->find("node blue-1 was booted again") != std::string::npos);
  CHECK(said->find("calls its 4 clients") != std::string::npos);

  REQUIRE(::kill(static_cast<pid_t>(server->pid), SIGTERM) == 0);
  CHECK(lab::wait_for_exit(*server, kPatience) == 0);
}

}  // namespace weir::test
