// The process that stays, without a machine: who talks to it, and how it ends.
#include "deployer/serve/edge/serve.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "deployer/serve/edge/control_socket.h"
#include "deployer/serve/edge/watcher.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

bool eventually(const std::function<bool()>& condition, seconds patience = seconds(60)) {
  const auto deadline = steady_clock::now() + patience;
  while (!condition()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

struct Served {
  FakeFleet fleet{2};
  std::atomic<bool> interrupted{false}, ended{false};
  Status status;
  std::thread thread{[this] {
    status = serve(fleet.folder + "/fleet.yaml", interrupted, [](const std::string&) {});
    ended = true;
  }};
  ~Served() {
    interrupted = true;
    if (thread.joinable()) thread.join();
  }
  [[nodiscard]] std::string socket() const { return fleet.folder + "/state/control.sock"; }
  Result<ControlConnection> connect() {
    REQUIRE(eventually([&] { return connect_control(socket()).has_value(); }));
    return connect_control(socket());
  }
};

}  // namespace

TEST_CASE("a serving deployer ends although clients are silent, or slow to say what they want") {
  Served served;
  const auto silent = served.connect();
  REQUIRE(silent.has_value());
  const Fd slow(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  served.socket().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::connect(slow.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::send(slow.get(), "{", 1, MSG_NOSIGNAL) == 1);
  served.interrupted = true;
  // A byte every now and then, and never a whole line.
  CHECK(eventually([&] {
    std::this_thread::sleep_for(milliseconds(20));
    (void)::send(slow.get(), " ", 1, MSG_NOSIGNAL);
    return served.ended.load();
  }));
  CHECK(served.status.has_value());
}

TEST_CASE("a line that comes in pieces is waited for no longer than one that does not come") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd other(ends[1]);
  ControlConnection connection{Fd(ends[0])};
  std::atomic<bool> over{false};
  std::thread trickle([&] {
    while (!over) {
      (void)::send(other.get(), "x", 1, MSG_NOSIGNAL);
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  std::atomic<bool> received{false};
  std::thread reader([&] {
    const auto line = connection.receive(milliseconds(200));
    CHECK((line.has_value() && !line->has_value()));
    received = true;
  });
  CHECK(eventually([&] { return received.load(); }));
  over = true;
  trickle.join();
  if (!received) (void)::send(other.get(), "\n", 1, MSG_NOSIGNAL);
  reader.join();
}

TEST_CASE("a client that does not listen holds nobody up, and gets no half lines") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd deaf(ends[1]);
  ControlConnection connection{Fd(ends[0])};
  const std::string line(64 << 10, 'x');
  Status sent;
  for (int i = 0; i < 1000 && sent; ++i) sent = connection.send(line, milliseconds(50));
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().code == Errc::timeout);
  CHECK_FALSE(connection.send("more", milliseconds(50)).has_value());
}

TEST_CASE("a line that is no order is answered with what is wrong, and a code") {
  Served served;
  auto connection = served.connect();
  REQUIRE(connection.has_value());
  REQUIRE(connection->send(R"({"command":"dance"})").has_value());
  const auto line = connection->receive(seconds(60));
  REQUIRE(line.has_value());
  REQUIRE(line->has_value());
  const auto reply = parse_control_reply(**line);
  REQUIRE(reply.has_value());
  CHECK(reply->exit_code == 2);
  CHECK(reply->error_code == "invalid input");
}

TEST_CASE("what is refused because another order runs is told as JSON, with a code") {
  const Order order = DeployOrder{*ReleaseName::parse("two"), false, {}};
  const ControlReply reply = refusal_of(order, Error{Errc::busy, 0, "another order runs"});
  CHECK(reply.exit_code == 1);
  const auto told = nlohmann::json::parse(reply.json);
  CHECK(told["order"] == "deploy");
  CHECK(told["release"] == "two");
  CHECK(told["outcome"] == "failed");
  CHECK(told["error"] == "another order runs");
  CHECK(told["error_code"] == "busy");
  CHECK(*parse_control_reply(print(reply)) == reply);
}

TEST_CASE(
    "a watcher gives a node that was booted again its key and peers, and has it call its clients") {
  FakeFleet fleet(3);
  fleet.done(FakeFleet::up("one"));
  fleet.connect(1, "blue-1");
  const auto site = fleet.site();
  std::atomic<bool> quiet{false};
  Watcher watcher(*site, quiet);
  REQUIRE(watcher.look().has_value());
  CHECK(site->store().clients()->size() == 1);
  {
    const std::lock_guard guard(fleet.lock);
    auto& node = fleet.nodes.at(FakeFleet::node("blue-1"));
    ++node.boots;
    node.key.reset();
    node.peers.clear();
    auto& client = fleet.clients.at(FakeFleet::key(1));
    fleet.steering.homes.insert_or_assign(client.endpoint, *client.session);
    client.session.reset();
  }
  REQUIRE(watcher.look().has_value());
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).peers.size() == 3);
  CHECK(fleet.clients.at(FakeFleet::key(1)).session == FakeFleet::node("blue-1"));
  quiet = true;
  {
    const std::lock_guard guard(fleet.lock);
    auto& node = fleet.nodes.at(FakeFleet::node("blue-1"));
    ++node.boots;
    node.key.reset();
    node.peers.clear();
    fleet.clients.at(FakeFleet::key(1)).session.reset();
  }
  REQUIRE(watcher.look().has_value());
  CHECK_MESSAGE(fleet.nodes.at(FakeFleet::node("blue-1")).peers.empty(),
                "it changes nothing while an order runs");
  quiet = false;
  REQUIRE(watcher.look().has_value());
  CHECK(fleet.nodes.at(FakeFleet::node("blue-1")).peers.size() == 3);
}

TEST_CASE(
    "a watcher revives the other nodes where one cannot be revived, and tries that one again") {
  FakeFleet fleet(3);
  fleet.done(FakeFleet::up("one"));
  fleet.done(FakeFleet::deploy("two"));
  const auto site = fleet.site();
  std::atomic<bool> quiet{false};
  Watcher watcher(*site, quiet);
  REQUIRE(watcher.look().has_value());
  auto& blue = fleet.nodes.at(FakeFleet::node("blue-1"));
  auto& green = fleet.nodes.at(FakeFleet::node("green-1"));
  const auto seal_key = blue.seal_public;
  for (auto* node : {&blue, &green}) {
    ++node->boots;
    node->key.reset();
    node->peers.clear();
  }
  // What is sealed for blue, which is looked at first, cannot be opened by it.
  blue.seal_public = green.seal_public;
  const auto looked = watcher.look();
  REQUIRE_FALSE(looked.has_value());
  CHECK(looked.error().message.find("blue-1") != std::string::npos);
  CHECK(blue.peers.empty());
  CHECK(green.peers.size() == 3);
  blue.seal_public = seal_key;
  REQUIRE(watcher.look().has_value());
  CHECK(blue.peers.size() == 3);
  CHECK(green.peers.size() == 3);
}

TEST_CASE("an order whose serving process goes away needs a person: how far it came is not known") {
  FakeFleet fleet(1);
  REQUIRE(make_folders(fleet.folder + "/state", 0700).has_value());
  auto listener = ControlListener::open(fleet.folder + "/state/control.sock");
  REQUIRE(listener.has_value());
  std::thread server([&] {
    for (bool served = false; !served;) {
      auto connection = listener->accept(seconds(60));
      if (!connection || !*connection) return;
      // Takes the order, and is gone.
      const auto line = (*connection)->receive(seconds(60));
      served = line && *line;
    }
  });
  const std::atomic<bool> interrupted{false};
  const auto reply = order_from_server(fleet.folder + "/fleet.yaml", FakeFleet::deploy("two"),
                                       interrupted, [](const std::string&) {});
  server.join();
  REQUIRE(reply.has_value());
  REQUIRE(reply->has_value());
  CHECK((*reply)->exit_code == 4);
  CHECK((*reply)->error.find("weir-deployer status") != std::string::npos);
  CHECK(nlohmann::json::parse((*reply)->json)["outcome"] == "needs a person");
}

}  // namespace weir::deployer
