// What a movement costs a client: Weir's against the plain one, where the router's next hop simply
// changes. Both in one run, with the same clients, pools and packets. See ./run bench.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/lab/demo.h"

namespace {

using namespace weir;
using namespace weir::lab;
namespace po = boost::program_options;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBootPatience{180000};

constexpr std::array kClients = {"plain", "ipv6", "nat"};

struct Measured {
  Report report;
  double boot_to_handshake_s = 0;
};

double seconds_since(UnixNs start) {
  return static_cast<double>(unix_now() - start) / 1e9;
}

/// Orders the first pool and has one client try all the while, afresh four times a second:
/// WireGuard's own retries, 5 s apart, would be the result else.
Result<double> boot_to_first_handshake(Lab& lab, const std::string& release) {
  TRY(lab.connect("plain"));
  const ClientPlan& client = *find_client(lab.plan(), "plain");
  TRY_ASSIGN(const ClientKeys keys, lab.keys_of(client));
  const std::string configuration = client_configuration(client, keys, lab.gateway_key(), false);
  const UnixNs ordered = unix_now();
  TRY_ASSIGN(const auto deployer,
             start(lab.deployer({"up", "--release", release}), lab.path("log/up.log")));
  double out = 0;
  while (out == 0) {
    TRY(must_run({"wg", "setconf", client.interface, "/dev/stdin"}, {.input = configuration}));
    TRY(run({"ip", "netns", "exec", client.netns, "ping", "-n", "-q", "-c", "1", "-W", "0.25",
             lab.plan().upstream_v4.string()}));
    TRY_ASSIGN(const std::string shown,
               must_read({"wg", "show", client.interface, "latest-handshakes"}));
    if (shown.find("\t0\n") == std::string::npos && !shown.empty()) out = seconds_since(ordered);
    if (interrupted()) return fail(Errc::timeout, "interrupted");
    if (seconds_since(ordered) * 1000 > static_cast<double>(kBootPatience.count())) {
      return fail(Errc::timeout, "no handshake; see " + lab.path("log/up.log"));
    }
  }
  TRY_ASSIGN(const bool ended, wait_for_end(deployer, kBootPatience));
  if (!ended) return fail(Errc::timeout, "weir-deployer up does not end");
  return out;
}

/// The router's next hop changes to green, and that is all: what one does without Weir.
Status repoint(const Lab& lab) {
  const std::string& netns = lab.plan().director_netns;
  TRY(must_run({"ip", "netns", "exec", netns, "nft", "flush", "ruleset"}));
  const auto rule = [&](const char* family, const std::string& from, const std::string& to) {
    return must_run({"ip", "-n", netns, family, "rule", "add", "pref", "100", "iif", from, "to", to,
                     "lookup", "2"});
  };
  TRY(rule("-4", "outside", lab.plan().vip_v4.address.string()));
  TRY(rule("-6", "outside", lab.plan().vip_v6.address.string()));
  TRY(rule("-4", "upstream", "10.99.0.0/16"));
  return rule("-6", "upstream", "fd00:99::/64");
}

Result<Measured> measure(const Lab::Options& options, const std::string& from,
                         const std::string& to) {
  const TearDown clean_up(options.folder);
  Measured out;
  TRY_ASSIGN(Lab lab, Lab::build(options));
  say("bench: booting " + from + " until the first handshake");
  TRY_ASSIGN(out.boot_to_handshake_s, boot_to_first_handshake(lab, from));
  TRY_ASSIGN(Session session, Session::start(lab, {"plain", "ipv6", "nat", "control"}));
  say("bench: hitless move");
  session.move("hitless", {"deploy", "--release", to}, "green");
  session.move("back", {"rollback"}, "blue");

  say("bench: plain repoint");
  Movement plain;
  plain.name = "plain";
  plain.ordered = unix_now();
  TRY(repoint(lab));
  plain.ended = unix_now();
  for (const char* name : kClients) TRY(lab.wait_for_tunnel(name));
  std::this_thread::sleep_for(seconds(2));
  plain.watched_until = unix_now();
  out.report = session.finish();
  out.report.movements.push_back(plain);
  if (interrupted()) return fail(Errc::timeout, "interrupted");
  return out;
}

double silence_ms(const PingLog& log, const Movement& movement) {
  return static_cast<double>(
             longest_silence_ns(log.samples, {movement.ordered, movement.watched_until})) /
         1e6;
}

void print(const Measured& measured, bool json) {
  const auto& moves = measured.report.movements;
  nlohmann::json out = {{"boot_to_first_handshake_s", measured.boot_to_handshake_s},
                        {"clients", nlohmann::json::array()}};
  if (!json) {
    std::printf("%-8s %18s %18s %10s\n", "client", "hitless, silent", "plain, silent", "ratio");
  }
  for (const PingLog& log : measured.report.traffic.pings) {
    const double hitless = silence_ms(log, moves[0]);
    const double plain = silence_ms(log, moves[2]);
    out["clients"].push_back(
        {{"client", log.client}, {"hitless_ms", hitless}, {"plain_ms", plain}});
    if (!json) {
      std::printf("%-8s %15.0f ms %15.0f ms %9.0fx\n", log.client.c_str(), hitless, plain,
                  hitless > 0 ? plain / hitless : 0);
    }
  }
  if (json) {
    std::cout << out.dump(2) << "\n";
    return;
  }
  std::printf(
      "(longest time without a reply, at 20 ms between packets; control is never moved)\n"
      "boot to first handshake: %.1f s from the order\n",
      measured.boot_to_handshake_s);
}

int run_bench(int argc, char** argv) {
  po::options_description described("Options");
  const auto text = [](const char* value) {
    return po::value<std::string>()->value_name("TEXT")->default_value(value);
  };
  described.add_options()("folder", text("build/bench/lab"), "the lab's files")(
      "store", text("build/demo/store"), "where the releases are")(
      "key", text("build/demo/release.pub"), "who signed them")("from", text("gateway-6.1"), "")(
      "to", text("gateway-6.12"), "")("json", "prints the numbers as JSON")("help,h",
                                                                            "prints this");
  po::variables_map given;
  try {
    po::store(po::parse_command_line(argc, argv, described), given);
    po::notify(given);
  } catch (const po::error& error) {
    std::cerr << "weir-bench-move: " << error.what() << "\n";
    return 2;
  }
  if (given.count("help") != 0) {
    std::cout
        << "usage: weir-bench-move [OPTIONS]\n\nMeasures a hitless move against a plain repoint, "
           "and the time from boot to handshake.\n\n"
        << described << "\nExample:\n  ./run bench\n";
    return 0;
  }
  if (::geteuid() != 0) {
    std::cerr << "weir-bench-move: needs root (network namespaces and taps)\n";
    return 1;
  }
  take_interrupts();
  const auto absolute = [&](const char* name) {
    return std::filesystem::absolute(given[name].as<std::string>()).lexically_normal().string();
  };
  Lab::Options options;
  options.folder = absolute("folder");
  options.name = "wbench";
  options.programs = std::filesystem::canonical("/proc/self/exe").parent_path().string();
  options.store = absolute("store");
  options.trusted_key = absolute("key");
  const auto measured =
      measure(options, given["from"].as<std::string>(), given["to"].as<std::string>());
  if (!measured) {
    std::cerr << "weir-bench-move: " << measured.error().message << "\n";
    return 1;
  }
  print(*measured, given.count("json") != 0);
  return measured->report.failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_bench(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weir-bench-move: %s\n", error.what());
    return 1;
  }
}
