#include "tests/vm/fleet_fixture.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <sstream>
#include <thread>

#include "deployer/site/edge/site.h"
#include "tests/folders.h"

namespace weir::test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kOrderPatience{20 * 60 * 1000};

}  // namespace

BlueFleet::BlueFleet(const lab::FleetOptions& options, unsigned extra)
    : folder_(test::build_folder() + "/vm/" + std::to_string(::getpid())), options_(options) {
  if (::geteuid() != 0) {
    std::fprintf(stderr, "needs root: network namespaces and taps\n");
    std::exit(std::getenv("WEIR_REQUIRE_ALL") != nullptr ? 1 : 77);
  }
  lab::take_interrupts();
  lab::Lab::Options what;
  what.folder = folder_;
  what.name = "v" + std::to_string(::getpid() % 10000000);
  what.extra = extra;
  what.programs = test::build_folder() + "/bin";
  what.store = baked("store");
  what.trusted_key = baked("release.pub");
  what.fleet = options;
  store_ = what.store;
  auto built = lab::Lab::build(what);
  if (!built) FAIL(built.error().message);
  lab_ = std::move(*built);
  const lab::Output up = order({"up", "--release", kBlueRelease});
  CAPTURE(up.out);
  REQUIRE(up.status == 0);
}

BlueFleet::~BlueFleet() {
  [[maybe_unused]] const auto gone = lab::tear_down(folder_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

lab::Output BlueFleet::order(const lab::Argv& command) {
  auto output = lab::run(lab_->deployer(command), {.timeout = kOrderPatience, .show_errors = true});
  if (!output) FAIL(output.error().message);
  return std::move(*output);
}

lab::Output BlueFleet::order_quietly(const lab::Argv& command) {
  auto output = lab::run(lab_->deployer(command), {.timeout = kOrderPatience});
  if (!output) FAIL(output.error().message);
  return std::move(*output);
}

nlohmann::json BlueFleet::status() {
  const lab::Output output = order_quietly({"status", "--json"});
  CAPTURE(output.err);
  REQUIRE(output.status == 0);
  auto json = nlohmann::json::parse(output.out, nullptr, false);
  CAPTURE(output.out);
  REQUIRE(json.is_object());
  return json;
}

std::string BlueFleet::machine(const std::string& node) {
  const nlohmann::json told = status();
  for (const auto& pool : told["pools"]) {
    for (const auto& item : pool["nodes"]) {
      if (item["node"] == node) return item["machine"];
    }
  }
  return "no such node";
}

std::int64_t BlueFleet::machine_pid(const std::string& node) {
  auto site = deployer::Site::open(lab_->path("fleet.yaml"), deployer::Access::read,
                                   [](const std::string&) {});
  if (!site) FAIL(site.error().message);
  const auto machines = (*site)->store().machines();
  REQUIRE(machines.has_value());
  const auto found = machines->find(*NodeId::parse(node));
  REQUIRE(found != machines->end());
  return found->second.record.pid;
}

std::string BlueFleet::dump_steering() {
  const auto rules = lab::must_read(
      {"ip", "netns", "exec", lab_->plan().director_netns, "nft", "-s", "list", "ruleset"});
  if (!rules) FAIL(rules.error().message);
  // Entries that packets teach (and time ends) are the director's own: only the sets themselves
  // count.
  std::string out;
  bool learned = false;
  bool skipping = false;
  std::istringstream lines(*rules);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("\tset ") || line.starts_with("\tmap ")) learned = false;
    if (line.find("flags dynamic") != std::string::npos) learned = true;
    if (learned && line.find("elements = {") != std::string::npos) skipping = true;
    if (!skipping) out += line + "\n";
    if (skipping && line.find('}') != std::string::npos) skipping = false;
  }
  for (const char* family : {"-4", "-6"}) {
    const auto routing =
        lab::must_read({"ip", "-n", lab_->plan().director_netns, family, "rule", "list"});
    if (!routing) FAIL(routing.error().message);
    out += *routing;
  }
  return out;
}

std::string BlueFleet::dump_peers(const std::string& pool) {
  auto site = deployer::Site::open(lab_->path("fleet.yaml"), deployer::Access::read,
                                   [](const std::string&) {});
  if (!site) FAIL(site.error().message);
  std::string out;
  for (const NodeId& node : (*site)->pool(*PoolName::parse(pool)).nodes) {
    auto client = (*site)->connect(node, kPatience);
    if (!client) FAIL(client.error().message);
    auto dump = (*client)->peers();
    if (!dump) FAIL(dump.error().message);
    dump->clock_unix_ns = 0;
    out += node.string() + " " + manifests::print(*dump) + "\n";
  }
  return out;
}

void BlueFleet::use(const lab::FleetOptions& options) {
  options_ = options;
  lab::FleetFiles files = lab_->fleet_files();
  files.store = store_;
  REQUIRE(lab_->write_fleet(files, options_).has_value());
}

void BlueFleet::use_store(const std::string& store) {
  store_ = store;
  use(options_);
}

std::string BlueFleet::copy_store() {
  std::string copy = folder_ + "/store";
  std::filesystem::remove_all(copy);
  std::filesystem::copy(baked("store"), copy, std::filesystem::copy_options::recursive);
  return copy;
}

std::string BlueFleet::baked(const std::string& inside) const {
  return test::build_folder() + "/test-store/" + inside;
}

}  // namespace weir::test
