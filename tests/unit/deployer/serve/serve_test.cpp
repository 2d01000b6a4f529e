// The process that stays, without a machine: who talks to it, and how it ends.
#include "deployer/serve/edge/serve.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "deployer/orders/edge/observe.h"
#include "deployer/serve/edge/control_socket.h"
#include "deployer/serve/edge/watched_site.h"
#include "deployer/serve/edge/watcher.h"
#include "deployer/serve/status_report.h"
#include "deployer/site/edge/running_order.h"
#include "tests/text.h"
#include "tests/unit/deployer/fake_fleet.h"

namespace weir::deployer {
namespace {

using test::has;

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
  std::mutex lock;
  std::vector<std::string> said;
  std::thread thread{[this] {
    status = serve(fleet.folder + "/fleet.yaml", interrupted, [this](const std::string& line) {
      const std::lock_guard guard(lock);
      said.push_back(line);
    });
    ended = true;
  }};
  std::ptrdiff_t times_said(const std::string& part) {
    const std::lock_guard guard(lock);
    return std::count_if(said.begin(), said.end(), [&](const std::string& line) {
      return line.find(part) != std::string::npos;
    });
  }
  /// The answer to one line.
  ControlReply ask(const std::string& line) {
    auto connection = connect();
    REQUIRE(connection.has_value());
    REQUIRE(connection->send(line).has_value());
    for (;;) {
      const auto answer = connection->receive(seconds(60));
      REQUIRE(answer.has_value());
      REQUIRE(answer->has_value());
      const auto reply = parse_control_reply(**answer);
      REQUIRE(reply.has_value());
      if (!reply->progress) return *reply;
    }
  }
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
  const ControlReply reply = served.ask(R"({"command":"dance"})");
  CHECK(reply.exit_code == 2);
  CHECK(reply.error_code == "invalid input");
}

TEST_CASE(
    "who orders through the socket while an order runs is told which, whose, and what to do") {
  Served served;
  const std::string folder = served.fleet.folder;
  REQUIRE(served.connect().has_value());
  auto text = read_file(folder + "/fleet.yaml", ByteCount{1 << 20});
  REQUIRE(text.has_value());
  *text = test::replaced(*text, "trusted_keys: [release.pub]", "trust: trust.json");
  REQUIRE(write_file(folder + "/fleet.yaml", *text).has_value());
  REQUIRE(write_file(folder + "/trust.json", "no trust").has_value());
  // Whoever has the trust's state holds up an order that is to judge a release by it.
  auto held = lock_file(folder + "/state/trust.state.lock");
  REQUIRE((held.has_value() && ::ftruncate(held->get(), 0) == 0));  // as before its first use
  std::thread first([&] { (void)served.ask(print(FakeFleet::deploy("two"))); });
  const bool runs = eventually([&] {
    const auto order = running_order(folder + "/state");
    return order && order->what == "deploy of two";
  });
  const ControlReply second = served.ask(print(FakeFleet::up("one")));
  held = fail(Errc::not_found, "over");
  first.join();
  CHECK(runs);
  CHECK(second.exit_code == 1);
  CHECK(second.error_code == "busy");
  CHECK(has(second.error, "an order is running (deploy of two, process " +
                              std::to_string(::getpid()) + "): wait"));
  CHECK(has(second.error, "Ctrl-C"));
  CHECK(has(second.error, "weir-deployer status --watch"));
}

TEST_CASE("what is refused because another order runs is told as JSON, with a code") {
  const Order order = DeployOrder{*ReleaseName::parse("two"), {}, false, {}};
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

namespace {

/// As a node is after its machine was reset: it knows nobody.
void reboot(FakeFleet& fleet, const char* name) {
  const std::lock_guard guard(fleet.lock);
  auto& node = fleet.nodes.at(FakeFleet::node(name));
  ++node.boots;
  node.key.reset();
  node.peers.clear();
  for (auto& [key, client] : fleet.clients) {
    if (client.session == FakeFleet::node(name)) client.session.reset();
  }
}

std::size_t peers_of(FakeFleet& fleet, const char* name) {
  return fleet.nodes.at(FakeFleet::node(name)).peers.size();
}

/// Twenty peers, who are up, and a fleet that is watched.
struct WatchedFleet {
  FakeFleet fleet{20};
  std::atomic<bool> quiet{false};
  WatchedSite site{[this]() -> Result<std::unique_ptr<Site>> {
    TRY(read_documents(fleet.folder + "/fleet.yaml"));
    return fleet.site();
  }};

  WatchedFleet() { fleet.done(FakeFleet::up("one")); }
  void look() {
    REQUIRE(site.site() != nullptr);
    Watcher watcher(*site.site(), quiet);
    REQUIRE(watcher.look(site.revivals()).has_value());
  }
  void lose_all_but_one() {
    fleet.registry = {1};
    fleet.write();
  }
  void break_line_two() {
    auto text = read_file(fleet.folder + "/peers.jsonl", ByteCount{1 << 20});
    REQUIRE(text.has_value());
    text->insert(text->find('\n') + 1, "{\"name\":\n");
    REQUIRE(write_file(fleet.folder + "/peers.jsonl", *text).has_value());
  }
};

}  // namespace

TEST_CASE("documents that do not parse leave the watched fleet with those before, and are named") {
  WatchedFleet watched;
  watched.site.renew();
  CHECK(watched.site.trouble() == "");
  watched.break_line_two();
  watched.site.renew();
  CHECK(has(watched.site.trouble(), watched.fleet.folder + "/peers.jsonl:2"));
  reboot(watched.fleet, "blue-1");
  watched.look();
  CHECK(peers_of(watched.fleet, "blue-1") == 20);
  watched.fleet.registry.insert(21);
  watched.fleet.write();
  watched.site.renew();
  CHECK(watched.site.trouble() == "");
  reboot(watched.fleet, "blue-1");
  watched.look();
  CHECK(peers_of(watched.fleet, "blue-1") == 21);
}

TEST_CASE("a node that is booted again is not given a registry that lost too many peers") {
  WatchedFleet watched;
  watched.site.renew();
  REQUIRE(watched.site.trouble() == "");
  SUBCASE("while nodes say whom they know") {
    watched.lose_all_but_one();
    watched.site.renew();
    reboot(watched.fleet, "blue-1");
  }
  SUBCASE("while the node that knew is booted again") {
    reboot(watched.fleet, "blue-1");
    watched.lose_all_but_one();
    watched.site.renew();
  }
  CHECK(has(watched.site.trouble(), watched.fleet.folder + "/peers.jsonl: "));
  CHECK(has(watched.site.trouble(), "--allow-removals 19"));
  watched.look();
  CHECK(peers_of(watched.fleet, "blue-1") == 20);

  // Said by a person, it is the registry from then on.
  watched.fleet.done(FakeFleet::up("one", 19));
  watched.site.accept(watched.fleet.site()->documents());
  watched.site.renew();
  CHECK(watched.site.trouble() == "");
  reboot(watched.fleet, "blue-1");
  watched.look();
  CHECK(peers_of(watched.fleet, "blue-1") == 1);
}

TEST_CASE(
    "without documents before, a registry that lost too many revives nobody until it is in order") {
  WatchedFleet watched;
  for (const unsigned n : {1U, 2U, 3U, 4U}) watched.fleet.connect(n, "blue-1");
  watched.site.renew();
  watched.look();  // the state knows these clients now
  watched.lose_all_but_one();
  WatchedSite started{[&]() -> Result<std::unique_ptr<Site>> { return watched.fleet.site(); }};
  reboot(watched.fleet, "blue-1");
  started.renew();
  CHECK(has(started.trouble(), "--allow-removals 3"));
  REQUIRE(started.site() != nullptr);
  std::optional<Watcher> watcher(std::in_place, *started.site(), watched.quiet);
  REQUIRE(watcher->look(started.revivals()).has_value());
  REQUIRE(watcher->look(started.revivals()).has_value());
  CHECK(peers_of(watched.fleet, "blue-1") == 0);
  for (unsigned n = 2; n <= 20; ++n) watched.fleet.registry.insert(n);
  watched.fleet.write();
  Watched noticed = watcher->watched();
  watcher.reset();
  started.renew();
  CHECK(started.trouble() == "");
  watcher.emplace(*started.site(), watched.quiet, std::move(noticed));
  REQUIRE(watcher->look(started.revivals()).has_value());
  CHECK(peers_of(watched.fleet, "blue-1") == 20);
}

TEST_CASE("watching takes nobody from a node") {
  WatchedFleet watched;
  watched.site.renew();
  Watcher first(*watched.site.site(), watched.quiet);
  REQUIRE(first.look().has_value());
  watched.fleet.registry.erase(20);
  watched.fleet.write();
  Watched noticed = first.watched();
  watched.site.renew();
  CHECK(watched.site.trouble() == "");
  {
    const std::lock_guard guard(watched.fleet.lock);
    ++watched.fleet.nodes.at(FakeFleet::node("blue-1")).boots;  // and somebody fed it since
  }
  Watcher second(*watched.site.site(), watched.quiet, std::move(noticed));
  REQUIRE(second.look().has_value());
  CHECK(peers_of(watched.fleet, "blue-1") == 20);
}

TEST_CASE(
    "a serving deployer says once that its documents are not in order, and when they are again") {
  Served served;
  (void)served.connect();
  const std::string order = R"({"command":"rollback"})";
  REQUIRE(write_file(served.fleet.folder + "/peers.jsonl", "{\n").has_value());
  const std::string where = "documents: " + served.fleet.folder + "/peers.jsonl:1";
  CHECK(has(served.ask(order).error, "peers.jsonl:1"));
  CHECK(eventually([&] { return served.times_said(where) == 1; }));
  served.fleet.write();
  CHECK_FALSE(has(served.ask(order).error, "peers.jsonl:1"));
  CHECK(eventually([&] { return served.times_said("documents: in order again") == 1; }));
  CHECK(served.times_said(where) == 1);
}

TEST_CASE("status says what is wrong with the registry") {
  WatchedFleet watched;
  const auto report = [&] {
    const auto site = watched.fleet.site();
    return status_of(site->documents(), *observe(*site, seconds(3)));
  };
  CHECK(report().registry_trouble == "");
  watched.lose_all_but_one();
  CHECK(has(print_text(report()), "registry: " + watched.fleet.folder + "/peers.jsonl: "));
  const auto told = nlohmann::json::parse(print_json(report()));
  CHECK(has(told["registry_trouble"], "--allow-removals 19"));
}

}  // namespace weir::deployer
