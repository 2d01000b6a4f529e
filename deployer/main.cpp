// weir-deployer: boots pools, moves clients between them, and tells what is true.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <boost/program_options.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "deployer/commands/edge/init.h"
#include "deployer/orders/edge/orders.h"
#include "deployer/serve/edge/serve.h"
#include "deployer/serve/edge/status.h"
#include "manifests/base/edge/run_program.h"
#include "manifests/base/printable.h"

namespace {

using namespace weir;            // NOLINT: a driver
using namespace weir::deployer;  // NOLINT
namespace po = boost::program_options;

std::atomic<bool> interrupted{false};

void on_signal(int) {
  interrupted = 1;
}

constexpr const char* kUsage = R"(usage: weir-deployer COMMAND --fleet FILE [OPTIONS]

commands:
  init                   write a first fleet document (init --help)
  up --release NAME      boot the first pool from a release and steer clients to it
  deploy --release NAME  boot the idle pool from a release and move every active client to it
  rollback               move every client back to the pool before
  status                 what is true: nodes, clients, unfinished rollouts
  down                   end all nodes and remove the steering
  serve                  stay: watch the nodes, and carry out the orders of the other commands

options:
  --fleet FILE           the fleet document (default fleet.yaml)
  --json                 the result as JSON on stdout
  --plan                 say what would be done, and do nothing (up, deploy, rollback, down)
  --strict               one client that cannot be prepared stops the deploy
  --watch                repeat every second (status)
  --version, --help

examples:
  weir-deployer up --fleet fleet.yaml --release gateway-6.1
  weir-deployer deploy --fleet fleet.yaml --release gateway-6.12 --plan
  weir-deployer deploy --fleet fleet.yaml --release gateway-6.12
  weir-deployer rollback --fleet fleet.yaml
  weir-deployer status --fleet fleet.yaml --watch

exit codes: 0 done, 1 failed (nobody was moved), 2 wrong usage, 3 moved back, 4 needs a person
)";

struct Options {
  std::string command, fleet, release;
  bool json = false, plan = false, strict = false, watch = false;
};

std::string elapsed(std::chrono::steady_clock::time_point start) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::steady_clock::now() - start)
                      .count();
  char text[32];
  std::snprintf(text, sizeof text, "[%7.2f s] ", static_cast<double>(ms) / 1000);
  return text;
}

int fail_with(const Options& options, const Error& error) {
  std::cerr << "weir-deployer: " << options.command << ": " << printable(error.message) << "\n";
  if (options.json) {
    Report report;
    report.order = options.command;
    report.outcome = Outcome::failed;
    report.refusal = Reason{Code::failed, error.message};
    std::cout << print_json(report) << std::endl;
  }
  return error.code == Errc::bug ? 4 : 1;
}

Result<ReleaseName> release_of(const Options& options) {
  return std::move(ReleaseName::parse(options.release)).map_error([](Error error) {
    return std::move(error).in("--release");
  });
}

int run_status(const Options& options, Site& site) {
  for (;;) {
    const auto report = read_status(site, std::chrono::milliseconds(3000));
    if (!report) return fail_with(options, report.error());
    if (options.watch && !options.json && ::isatty(STDOUT_FILENO) != 0)
      std::cout << "\033[H\033[2J";
    std::cout << (options.json ? print_json(*report) + "\n" : printable_lines(print_text(*report)))
              << std::flush;
    if (!options.watch || interrupted) return 0;
    for (int i = 0; i < 10 && !interrupted; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (interrupted) return 0;
  }
}

Result<std::string> run_plan(const Options& options, Site& site) {
  if (options.command == "rollback") return plan_rollback(site);
  if (options.command == "down") return plan_down(site);
  TRY_ASSIGN(const auto release, release_of(options));
  return options.command == "up" ? plan_up(site, release) : plan_deploy(site, release);
}

int finish(const Options& options, const ControlReply& reply) {
  if (options.json && !reply.json.empty()) {
    std::cout << reply.json << "\n";
  } else if (!options.json) {
    std::cout << printable_lines(reply.text);
  }
  std::cout << std::flush;
  if (!reply.error.empty()) {
    std::cerr << "weir-deployer: " << options.command << ": " << printable(reply.error) << "\n";
  }
  return reply.exit_code;
}

int run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto progress = [start](const std::string& line) {
    std::cerr << elapsed(start) + printable(line) + "\n" << std::flush;
  };
  if (options.command == "serve") {
    const auto served = serve(options.fleet, interrupted, progress);
    return served ? 0 : fail_with(options, served.error());
  }
  const ControlOrder order{options.command, options.release, options.strict};
  const bool reads = options.command == "status" || options.plan;
  if (!reads) {
    const auto reply = order_from_server(options.fleet, order, interrupted, progress);
    if (!reply) return fail_with(options, reply.error());
    if (*reply) return finish(options, **reply);
  }
  auto site = Site::open(options.fleet, reads ? Site::Access::read : Site::Access::write, progress);
  if (!site) return fail_with(options, site.error());
  if (options.command == "status") return run_status(options, **site);
  if (options.plan) {
    const auto text = run_plan(options, **site);
    if (!text) return fail_with(options, text.error());
    std::cout << printable_lines(*text);
    return 0;
  }
  const auto reply = run_control_order(**site, order, interrupted, start);
  if (!reply) return fail_with(options, reply.error());
  return finish(options, *reply);
}

int usage_error(const std::string& what) {
  std::cerr << "weir-deployer: " << printable(what) << " (see weir-deployer --help)\n";
  return 2;
}

int dispatch(int argc, char** argv) {
  Options options;
  po::options_description described;
  auto add = described.add_options();
  add("command", po::value(&options.command));
  add("fleet,f", po::value(&options.fleet)->default_value("fleet.yaml"));
  add("release,r", po::value(&options.release));
  add("json", po::bool_switch(&options.json));
  add("plan", po::bool_switch(&options.plan));
  add("strict", po::bool_switch(&options.strict));
  add("watch", po::bool_switch(&options.watch));
  add("version", "");
  add("help,h", "");
  po::positional_options_description positional;
  positional.add("command", 1);
  po::variables_map given;
  try {
    po::store(po::command_line_parser(argc, argv).options(described).positional(positional).run(),
              given);
    po::notify(given);
  } catch (const po::error& error) {
    return usage_error(error.what());
  }
  if (given.count("help") != 0 || options.command == "help") {
    std::cout << kUsage;
    return 0;
  }
  if (given.count("version") != 0) {
    std::cout << "weir-deployer " WEIR_VERSION "\n";
    return 0;
  }
  const bool releases = options.command == "up" || options.command == "deploy";
  const bool known = releases || options.command == "rollback" || options.command == "status" ||
                     options.command == "down" || options.command == "serve";
  if (!known) {
    return usage_error(options.command.empty() ? "which command?"
                                               : "no command '" + options.command + "'");
  }
  if (releases && options.release.empty())
    return usage_error(options.command + " needs --release NAME");
  if (!releases && !options.release.empty())
    return usage_error(options.command + " takes no --release");
  if (options.plan && (options.command == "status" || options.command == "serve")) {
    return usage_error("--plan is for up, deploy, rollback and down");
  }
  if (options.strict && options.command != "deploy") return usage_error("--strict is for deploy");

  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  // Private keys pass through this process: no core file may hold them.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // What it orders has to be in time while machines boot beside it; they start at 0 all the same.
  if (options.command != "status") (void)::setpriority(PRIO_PROCESS, 0, -10);
  return run(options);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "init") {
    return weir::run_program(
        {.name = "weir-deployer", .summary = "", .commands = {weir::deployer::init_command()}},
        argc, argv);
  }
  return weir::run_program("weir-deployer", [&] { return dispatch(argc, argv); });
}
