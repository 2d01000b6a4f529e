#include "deployer/commands/edge/commands.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <thread>

#include "deployer/commands/edge/init.h"
#include "deployer/commands/edge/logs.h"
#include "deployer/orders/edge/observe.h"
#include "deployer/orders/edge/orders.h"
#include "deployer/serve/edge/serve.h"
#include "deployer/serve/status_report.h"
#include "deployer/site/edge/running_order.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/base/printable.h"

namespace weir::deployer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{3000};
constexpr milliseconds kGlance{100};
constexpr int kGlancesALook = 10;

/// What every command is given.
struct Options {
  std::string fleet = "fleet.yaml";
  OrderWords words;
  bool json = false, plan = false, watch = false;
};
using Given = std::shared_ptr<Options>;

Option fleet_option(const Given& given) {
  return {"fleet,f", "FILE", &given->fleet, "the fleet document"};
}
Option json_option(const Given& given) {
  return {"json", "", &given->json, "the result as one JSON object"};
}

void say(const std::string& line) {
  log_step(line);
}

Exit exit_of(int code) {
  return static_cast<Exit>(code);
}

/// Puts an answer where it belongs: the result on stdout, what was wrong on stderr.
Exit tell(const Options& options, const ControlReply& reply) {
  std::cout << (options.json ? reply.json + "\n" : printable_lines(reply.text)) << std::flush;
  if (!reply.error.empty()) log_line(reply.error);
  return exit_of(reply.exit_code);
}

Result<Exit> show_plan(const Options& options, Site& site, const Order& order) {
  const std::string state = site.path(site.fleet().state);
  if (const auto other = running_order(state)) return tl::unexpected(in_the_way(*other));
  // An order makes it first.
  TRY_IN(check_folders(state), "state");
  TRY_ASSIGN(const Planned planned, plan_on(site, order, Seeing::forgotten));
  std::cout << (options.json ? print_json(planned.plan) + "\n"
                             : printable_lines(print_text(planned.plan)))
            << std::flush;
  return Exit::done;
}

Result<Exit> give_order(const Options& options, const std::atomic<bool>& interrupted) {
  const auto ordered_at = std::chrono::steady_clock::now();
  TRY_ASSIGN(const Order order, make_order(options.words));
  if (options.plan) {
    TRY_ASSIGN(const auto site, Site::open(options.fleet, Access::read, say));
    return show_plan(options, *site, order);
  }
  // What it orders has to be in time while machines boot beside it; they start at 0 all the same.
  (void)::setpriority(PRIO_PROCESS, 0, -10);
  TRY_ASSIGN(const auto served, order_from_server(options.fleet, order, interrupted, say));
  if (served) return tell(options, *served);
  TRY_ASSIGN(const auto site, Site::open(options.fleet, Access::write, say));
  return tell(options, answer_order({*site, interrupted, ordered_at}, order));
}

weir::Command order_command(const char* name, const char* summary, const char* examples,
                            const std::atomic<bool>& interrupted) {
  const auto given = std::make_shared<Options>();
  given->words.command = name;
  const bool releases = given->words.command == "up" || given->words.command == "deploy";
  weir::Command out{.name = name, .summary = summary, .examples = examples, .run = {}};
  out.options.push_back(fleet_option(given));
  if (releases) {
    out.options.push_back(
        {"release,r", "NAME", &given->words.release, "what to boot", Need::required});
  }
  if (given->words.command == "deploy") {
    out.options.push_back({"to", "POOL", &given->words.to,
                           "where everybody goes; the pool behind the active one in the fleet"});
    out.options.push_back({"strict", "", &given->words.strict,
                           "one client that cannot be prepared stops the deploy"});
  }
  if (given->words.command != "down") {
    out.options.push_back({"allow-removals", "N", &given->words.allow_removals,
                           "so many known peers may be missing from the registry"});
  }
  out.options.push_back({"plan", "", &given->plan, "say what would be done, and do nothing"});
  out.options.push_back(json_option(given));
  out.check = [given]() -> Status {
    TRY(make_order(given->words));
    return {};
  };
  out.run = [given, &interrupted] { return give_order(*given, interrupted); };
  out.failed = [given](const Error& error) {
    const auto order = make_order(given->words);
    const ControlReply reply = order ? refusal_of(*order, error) : ControlReply{};
    if (given->json) std::cout << reply.json << std::endl;
    return order ? exit_of(reply.exit_code) : Exit::failed;
  };
  return out;
}

Result<Exit> show_status(const Options& options, const std::atomic<bool>& interrupted) {
  TRY_ASSIGN(const auto site, Site::open(options.fleet, Access::read, say));
  const bool redraw = options.watch && !options.json && ::isatty(STDOUT_FILENO) != 0;
  for (;;) {
    TRY_ASSIGN(const Observed observed, observe(*site, kPatience));
    const StatusReport report = status_of(site->documents(), observed);
    if (redraw) std::cout << "\033[H\033[2J";
    std::cout << (options.json ? print_json(report) + "\n" : printable_lines(print_text(report)))
              << std::flush;
    for (int i = 0; i < kGlancesALook && options.watch && !interrupted; ++i) {
      std::this_thread::sleep_for(kGlance);
    }
    if (!options.watch || interrupted || !std::cout) return Exit::done;
  }
}

weir::Command status_command(const std::atomic<bool>& interrupted) {
  const auto given = std::make_shared<Options>();
  return {.name = "status",
          .summary = "what is true: nodes, clients, unfinished rollouts",
          .examples = "  weir-deployer status --fleet fleet.yaml --watch\n",
          .options = {fleet_option(given),
                      {"watch", "", &given->watch, "repeat every second"},
                      json_option(given)},
          .run = [given, &interrupted] { return show_status(*given, interrupted); },
          .failed =
              [given](const Error& error) {
                if (given->json) std::cout << print_json(error) << std::endl;
                return Exit::failed;
              }};
}

weir::Command serve_command(const std::atomic<bool>& interrupted) {
  const auto given = std::make_shared<Options>();
  return {.name = "serve",
          .summary = "stay: watch the nodes, and carry out the orders of the other commands",
          .examples = "  weir-deployer serve --fleet fleet.yaml\n",
          .options = {fleet_option(given)},
          .run = [given, &interrupted]() -> Result<Exit> {
            (void)::setpriority(PRIO_PROCESS, 0, -10);
            TRY(serve(given->fleet, interrupted, say));
            return Exit::done;
          }};
}

}  // namespace

CommandTable command_table(const std::atomic<bool>& interrupted) {
  return {.name = "weir-deployer",
          .summary = "boots pools of gateways from signed releases and moves live clients",
          .commands = {
              init_command(interrupted),
              order_command("up", "boot the first pool from a release and steer clients to it",
                            "  weir-deployer up --fleet fleet.yaml --release gateway-6.1\n",
                            interrupted),
              order_command(
                  "deploy", "boot another pool from a release and move every active client to it",
                  "  weir-deployer deploy --fleet fleet.yaml --release gateway-6.12 --plan\n"
                  "  weir-deployer deploy --fleet fleet.yaml --release gateway-6.12\n"
                  "  weir-deployer deploy --fleet fleet.yaml --release gateway-6.12 --to amber\n",
                  interrupted),
              order_command("rollback", "move every client back to the pool before",
                            "  weir-deployer rollback --fleet fleet.yaml\n", interrupted),
              status_command(interrupted), logs_command(interrupted),
              order_command("down", "end all nodes and remove the steering",
                            "  weir-deployer down --fleet fleet.yaml\n", interrupted),
              serve_command(interrupted)}};
}

}  // namespace weir::deployer
