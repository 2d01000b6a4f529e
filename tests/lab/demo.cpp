#include "tests/lab/demo.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace weir::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kOrderPatience{20 * 60 * 1000};
constexpr seconds kSeenPatience{60};  // for one more client; an idle one moves with its next packet
constexpr seconds kAftermath{2};      // silence after the order counts too

/// Waits, unless a person has had enough.
void wait_for(std::chrono::steady_clock::duration time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!interrupted() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(20));
  }
}

}  // namespace

void say(const std::string& what) {
  static const auto start = std::chrono::steady_clock::now();
  const double since =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::fprintf(stderr, "[%6.1f s] %s\n", since, what.c_str());
}

TearDown::~TearDown() {
  if (auto gone = tear_down(folder_); !gone) say("clean up: " + gone.error().message);
}

std::vector<std::string> links_of_pool(const std::string& pool, unsigned nodes) {
  const unsigned before = pool == "amber" ? 2 * nodes : pool == "green" ? nodes : 0;
  std::vector<std::string> out;
  for (unsigned i = 1; i <= nodes; ++i) out.push_back("weir-d" + std::to_string(before + i));
  return out;
}

std::vector<std::string> demo_clients() {
  return {"plain", "ipv6", "nat", "talker", "control"};
}

Result<Session> Session::start(Lab& lab, const std::vector<std::string>& clients) {
  for (const std::string& name : clients) TRY(lab.connect(name));
  for (const std::string& name : clients) TRY(lab.wait_for_tunnel(name));
  TRY_ASSIGN(Observer observer, Observer::start(lab.plan().director_netns, lab.plan().vip_v4.port));
  TRY_ASSIGN(Traffic traffic, Traffic::start(lab.ping_flows(), lab.stream_flows()));
  Session out(lab, std::move(traffic), std::move(observer));
  for (const std::string& name : clients) {
    if (!find_client(lab.plan(), name)->control) out.clients_.push_back(name);
  }
  wait_for(seconds(1));
  return out;
}

void Session::move(const std::string& name, const Argv& command, const std::string& pool,
                   const std::vector<std::string>& staying) {
  Movement movement;
  movement.name = name;
  movement.ordered = unix_now();
  auto output = run(lab_->deployer(command), {.timeout = kOrderPatience, .show_errors = true});
  movement.ended = unix_now();
  if (!output) {
    report_.failures.push_back(name + ": " + output.error().message);
  } else if (output->status != 0) {
    report_.failures.push_back(name + ": weir-deployer ended with exit status " +
                               std::to_string(output->status));
  }
  std::map<std::string, IpAddress> moving;
  for (const std::string& client : clients_) {
    if (std::find(staying.begin(), staying.end(), client) != staying.end()) continue;
    moving.emplace(client, find_client(lab_->plan(), client)->seen_from);
  }
  const auto interfaces = links_of_pool(pool, lab_->fleet().nodes);
  auto deadline = std::chrono::steady_clock::now() + kSeenPatience;
  std::size_t missing = moving.size();
  do {
    wait_for(milliseconds(50));
    movement.watched_until = unix_now();
    see_moves(movement, moving, observer_.passages(), interfaces);
    if (movement.not_moved.size() < missing) {
      missing = movement.not_moved.size();
      deadline = std::chrono::steady_clock::now() + kSeenPatience;
    }
  } while (!interrupted() && !movement.not_moved.empty() && output && output->status == 0 &&
           std::chrono::steady_clock::now() < deadline);
  wait_for(kAftermath);
  movement.watched_until = unix_now();
  see_moves(movement, moving, observer_.passages(), interfaces);
  report_.movements.push_back(std::move(movement));
}

Report Session::finish() {
  report_.traffic = traffic_.stop();
  return std::move(report_);
}

Result<Report> run_demo(const DemoOptions& options) {
  say("building the lab: director, upstream host and clients in network namespaces");
  const TearDown clean_up(options.lab.folder);
  TRY_ASSIGN(Lab lab, Lab::build(options.lab));
  say("booting the blue pool from " + options.from);
  TRY(must_run(lab.deployer({"up", "--release", options.from}),
               {.timeout = kOrderPatience, .show_errors = true}));
  say("connecting clients: an IPv4, an IPv6, one behind a NAT, two that talk to each other, a "
      "control");
  TRY_ASSIGN(Session session, Session::start(lab, demo_clients()));
  for (unsigned round = 1; round <= options.rounds && !interrupted(); ++round) {
    std::string number;
    if (options.rounds > 1) number = " (" + std::to_string(round) + ")";
    const auto order = [&](const std::string& name, const Argv& command, const std::string& pool) {
      if (interrupted()) return;
      std::string what = name;
      what.append(number).append(": moving every client to the ").append(pool).append(" pool");
      say(what);
      session.move(name, command, pool);
      const auto count = session.traffic().count();
      say(std::to_string(count.sent) + " packets sent, " + std::to_string(count.received) +
          " answered so far");
    };
    order("deploy", {"deploy", "--release", options.to}, "green");
    order("rollback", {"rollback"}, "blue");
    order("deploy again", {"deploy", "--release", options.to}, "green");
    if (round < options.rounds) order("rollback again", {"rollback"}, "blue");
  }
  say("stopping the traffic, and waiting for the last replies");
  Report report = session.finish();
  if (interrupted()) return fail(Errc::timeout, "interrupted");
  say("cleaning up");
  return report;
}

}  // namespace weir::lab
